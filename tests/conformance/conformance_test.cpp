// The CUDA backend, on the emulator, against the CPU's: every bit.

#include "conformance/cases.hpp"
#include "support/fake_cuda/fake_cuda.hpp"

namespace tuile::conformance {
namespace {

class Conformance : public testing::TestWithParam<Case> {};

TEST_P(Conformance, SameBits) {
  fake_cuda::reset();
  Executor executor(2);
  {
    const auto reference = compute::make_backend("cpu", executor), tested = compute::make_backend("cuda", executor);
    ASSERT_EQ(tested->name(), "cuda");
    EXPECT_EQ(GetParam().run(*reference, *tested, Scale::emulator), "");
  }
  EXPECT_TRUE(fake_cuda::counters().kernels > 0 || GetParam().name == "WrongInput");
  EXPECT_EQ(fake_cuda::leaks(), std::vector<std::string>{});
}

INSTANTIATE_TEST_SUITE_P(Cases, Conformance, testing::ValuesIn(all_cases()), [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace tuile::conformance

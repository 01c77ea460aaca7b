// Whether the backend can run, and what is said where it cannot.
#include <thread>

#include "compute/cuda/cuda_error.hpp"
#include "compute/cuda/current_device.hpp"
#include "scene.hpp"

namespace tuile::test {
namespace {

using Availability = CudaRuntime;

/// Asserts that the backend is refused in words that name the trouble and the way out.
void expect_refused(const std::string& trouble) {
  const auto cuda = compute::availability("cuda");
  EXPECT_FALSE(cuda.available);
  EXPECT_NE(cuda.reason.find(trouble), std::string::npos) << cuda.reason;
  EXPECT_NE(cuda.reason.find("'cpu' or 'auto'"), std::string::npos) << cuda.reason;
  Executor executor(1);
  EXPECT_THROW(compute::make_backend("cuda", executor), BackendUnavailable);
  EXPECT_EQ(compute::make_backend("auto", executor)->name(), "cpu");
}

TEST_F(Availability, WithDevices) {
  EXPECT_TRUE(compute::availability("cuda").available);
  EXPECT_EQ(compute::make_backend("auto", executor_)->name(), "cuda");
  EXPECT_EQ(compute::make_backend("cpu", executor_)->name(), "cpu");
}

TEST_F(Availability, WithoutDriver) {
  fake_cuda::reset({.driver = false});
  expect_refused("no NVIDIA driver");
}

TEST_F(Availability, WithoutDevice) {
  fake_cuda::reset({.devices = 0});
  expect_refused("CUDA_VISIBLE_DEVICES");
}

TEST_F(Availability, WithAnOldDriver) {
  fake_cuda::fail("cudaGetDeviceCount", 1, cudaErrorInsufficientDriver, 1000);
  expect_refused("install a newer driver");
}

TEST_F(Availability, WithABrokenDriver) {
  fake_cuda::fail("cudaGetDeviceCount", 1, cudaErrorSystemDriverMismatch, 1000);
  expect_refused("cudaErrorSystemDriverMismatch");
}

TEST_F(Availability, WithADeviceThatIsTooOld) {
  fake_cuda::fail("cudaDeviceGetAttribute", 1, cudaErrorInvalidValue, 1000);  // what is not known is 0
  expect_refused("compute capability 0.0, and at least 7.5 is needed");
}

TEST_F(Availability, DevicesAskedFor) {
  fake_cuda::reset({.devices = 2});
  for (const std::vector<int>& ids : {std::vector<int>{2}, std::vector<int>{0, -1}}) {
    try {
      compute::make_backend("cuda", executor_, {.devices = ids});
      FAIL() << "there is no such device";
    } catch (const BackendUnavailable& error) {
      EXPECT_NE(std::string(error.what()).find("device " + std::to_string(ids.back())), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("from 0 to 1"), std::string::npos) << error.what();
    }
  }
  const auto cuda = compute::make_backend("cuda", executor_, {.devices = {1, 0, 1}});
  EXPECT_EQ(cuda->report().devices.size(), 2U);
  EXPECT_EQ(cuda->report().devices[0].id, 1);
}

TEST_F(Availability, ADeviceThatCannotBeOpenedIsLeftOut) {
  fake_cuda::reset({.devices = 2});
  fake_cuda::fail("cudaMemPoolCreate", 1, cudaErrorNotSupported);
  const auto cuda = compute::make_backend("cuda", executor_);
  ASSERT_EQ(cuda->report().devices.size(), 1U);
  EXPECT_EQ(cuda->report().devices[0].id, 1);
  fake_cuda::fail("cudaMemPoolCreate", 1, cudaErrorNotSupported, 2);
  EXPECT_THROW(compute::make_backend("cuda", executor_), BackendUnavailable);
}

TEST_F(Availability, AutoTakesTheNextWhereNoDeviceOpens) {
  fake_cuda::reset({.devices = 1});
  fake_cuda::fail("cudaMemPoolCreate", 1, cudaErrorNotSupported);
  std::string reason;
  const auto backend = compute::make_backend("auto", executor_, {}, &reason);
  EXPECT_EQ(backend->name(), "cpu");
  EXPECT_NE(reason.find("no CUDA device could be opened"), std::string::npos) << reason;
  fake_cuda::fail("cudaMemPoolCreate", 1, cudaErrorNotSupported);
  EXPECT_THROW(compute::make_backend("auto", executor_, {.devices = {0}}), BackendUnavailable) << "who names devices wants them";
}

TEST_F(Availability, ADeviceThatThisProgramHasNoCodeForIsLeftOut) {
  fake_cuda::reset({.devices = 2});
  fake_cuda::fail("cudaFuncGetAttributes", 1, cudaErrorNoKernelImageForDevice);
  const auto cuda = compute::make_backend("cuda", executor_);
  ASSERT_EQ(cuda->report().devices.size(), 1U);
  EXPECT_EQ(cuda->report().devices[0].id, 1);
}

TEST_F(Availability, NoOtherDeviceIsTouched) {
  fake_cuda::reset({.devices = 2});
  std::thread([&] {  // its first device is 0
    compute::make_backend("cuda", executor_, {.devices = {1}});
  })
      .join();
  EXPECT_FALSE(fake_cuda::has_context(0));
  EXPECT_TRUE(fake_cuda::has_context(1));
}

TEST_F(Availability, TheDeviceOfTheCallerStaysTheirs) {
  fake_cuda::reset({.devices = 2});
  std::thread([&] {
    ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
    compute::make_backend("cuda", executor_, {.devices = {0}});
    int now = -1;
    ASSERT_EQ(cudaGetDevice(&now), cudaSuccess);
    EXPECT_EQ(now, 1);
  }).join();
}

TEST_F(Availability, ADeviceIsMadeCurrentWhereNoneIsKnownToBe) {
  fake_cuda::reset({.devices = 1});
  fake_cuda::fail("cudaGetDevice", 1, cudaErrorInvalidValue);
  std::thread([&] { const compute::cuda::CurrentDevice current(0); }).join();
  EXPECT_TRUE(fake_cuda::has_context(0));
  EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess);
}

TEST_F(Availability, ErrorsAreTyped) {
  using namespace compute::cuda;
  EXPECT_NO_THROW(check(cudaSuccess, "nothing"));
  EXPECT_THROW(check(cudaErrorMemoryAllocation, "x"), DeviceOutOfMemory);
  EXPECT_THROW(check(cudaErrorMemoryAllocation, "x"), OutOfMemory);
  EXPECT_THROW(check(cudaErrorLaunchFailure, "x"), DeviceLost);
  EXPECT_THROW(check(cudaErrorLaunchFailure, "x"), DeviceError);
  EXPECT_FALSE(is_sticky(cudaErrorInvalidValue));
  EXPECT_FALSE(is_sticky(cudaErrorMemoryAllocation));
  EXPECT_TRUE(is_sticky(cudaErrorContained));
  try {
    check(cudaErrorInvalidConfiguration, "counting sheep");
    FAIL();
  } catch (const DeviceError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::device);
    for (const char* part : {"CUDA device 0 (", "counting sheep failed", "cudaErrorInvalidConfiguration", "'cpu'"}) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

}  // namespace
}  // namespace tuile::test

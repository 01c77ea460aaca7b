#include "conformance.hpp"

#include <exception>
#include <memory>

#include "conformance/cases.hpp"
#include "large_cases.hpp"
#include "tuile/compute/backend.hpp"

namespace tuile::gpu_check {

std::vector<Check> run_conformance(Executor& executor, conformance::Scale scale, std::size_t town_points,
                                   const std::function<void(const Check&)>& told) {
  const std::unique_ptr<compute::Backend> cpu = compute::make_backend("cpu", executor), cuda = compute::make_backend("cuda", executor);
  std::vector<Check> checks;
  const auto run = [&](const std::string& name, const std::function<std::string()>& compare) {
    Check check{name, false, ""};
    try {
      check.detail = compare();
      check.passed = check.detail.empty();
    } catch (const std::exception& error) {
      check.detail = error.what();
    }
    told(check);
    checks.push_back(std::move(check));
  };
  for (const conformance::Case& one : conformance::all_cases()) run(one.name, [&] { return one.run(*cpu, *cuda, scale); });
  for (const LargeCase& large : large_cases(town_points)) run(large.name, [&] { return large.compare(*cpu, *cuda); });
  return checks;
}

}  // namespace tuile::gpu_check

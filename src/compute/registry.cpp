#include <utility>

#include "compute/cpu/cpu_backend.hpp"
#include "compute/cuda_availability.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/core/error.hpp"

namespace tuile::compute {

std::vector<std::string> backend_names() { return {"cuda", "cpu"}; }

Availability availability(const std::string& name) {
  if (name == "cpu") return {true, "always"};
  if (name == "cuda") return cuda_availability();
  throw InvalidArgument("backend '" + name + "' is unknown; expected auto, cpu or cuda");
}

BackendChoice choose_backend(const std::string& name) {
  if (name != "auto") {
    (void)availability(name);  // refuses unknown names
    return {name, ""};
  }
  BackendChoice choice;
  for (const std::string& known : backend_names()) {
    choice.name = known;
    const Availability here = availability(known);
    if (here.available) break;
    choice.reason += (choice.reason.empty() ? "" : "; ") + known + " cannot run: " + here.reason;
  }
  return choice;  // the last is always there
}

std::unique_ptr<Backend> make_backend(const std::string& asked, Executor& executor, const BackendOptions& options, std::string* reason) {
  BackendChoice choice = choose_backend(asked);
  const Availability here = availability(choice.name);
  if (!here.available) throw BackendUnavailable("backend '" + choice.name + "' cannot run: " + here.reason);
  std::unique_ptr<Backend> backend;
  if (choice.name == "cuda") {
    try {
      backend = make_cuda_backend(executor, options);
    } catch (const BackendUnavailable& error) {  // that a device is there does not say that it can be opened
      if (asked != "auto" || !options.devices.empty()) throw;  // who names devices wants them
      choice.reason = error.what();
    }
  }
  if (reason != nullptr) *reason = choice.reason;
  return backend ? std::move(backend) : make_cpu_backend(executor, options);
}

}  // namespace tuile::compute

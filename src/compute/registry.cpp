#include <algorithm>
#include <array>
#include <utility>

#include "compute/cpu/cpu_backend.hpp"
#include "compute/cpu/filters.hpp"
#include "compute/cuda_registration.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/core/error.hpp"

namespace tuile::compute {

namespace {

/// A backend as a row of the table: a new one is a row, and its folder.
struct Row {
  const char* name;
  Availability (*availability)();
  std::unique_ptr<Backend> (*make)(Executor& executor, const BackendOptions& options);
};

/// Best first. The last can always run.
constexpr std::array<Row, 2> rows{{
    {cuda::backend_name, cuda::backend_availability,
     [](Executor& executor, const BackendOptions& options) { return cuda::make_backend(executor, options, cpu::filter_on_host); }},
    {cpu::backend_name,
     [] {
       return Availability{true, "always"};
     },
     cpu::make_backend},
}};

const Row& row_of(const std::string& name) {
  const auto at = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name; });
  if (at == rows.end()) throw InvalidArgument("backend '" + name + "' is unknown; expected auto, cpu or cuda");
  return *at;
}

/// Why each of the rows before could not be taken.
void add_reason(std::string& reasons, const std::string& reason) { reasons += (reasons.empty() ? "" : "; ") + reason; }

}  // namespace

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const Row& row : rows) names.emplace_back(row.name);
  return names;
}

Availability availability(const std::string& name) { return row_of(name).availability(); }

BackendChoice choose_backend(const std::string& name) {
  if (name != "auto") return {row_of(name).name, ""};
  BackendChoice choice;
  for (const Row& row : rows) {
    choice.name = row.name;
    const Availability here = row.availability();
    if (here.available) break;
    add_reason(choice.reason, std::string(row.name) + " cannot run: " + here.reason);
  }
  return choice;
}

std::unique_ptr<Backend> make_backend(const std::string& asked, Executor& executor, const BackendOptions& options, std::string* reason) {
  const BackendChoice choice = choose_backend(asked);
  const Row& chosen = row_of(choice.name);
  const Availability here = chosen.availability();
  if (!here.available) throw BackendUnavailable("backend '" + choice.name + "' cannot run: " + here.reason);
  std::string why_not = choice.reason;
  std::unique_ptr<Backend> backend;
  try {
    backend = chosen.make(executor, options);
  } catch (const BackendUnavailable& error) {                // that a device is there does not say that it can be opened
    if (asked != "auto" || !options.devices.empty()) throw;  // who names devices wants them
    why_not = error.what();
    backend = rows.back().make(executor, options);
  }
  if (reason != nullptr) *reason = why_not;
  return backend;
}

}  // namespace tuile::compute

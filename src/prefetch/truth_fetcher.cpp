#include "prefetch/truth_fetcher.hpp"

#include <algorithm>
#include <exception>
#include <vector>

#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::prefetch {

struct TruthTicket::State {
  // Constant after start().
  const truth::TruthStore* store = nullptr;
  Bounds box;
  std::vector<truth::TruthStore::Unit> units;
  std::exception_ptr error;  ///< of start()
  /// One a unit, each written by its task alone and read after that has ended. Shared with the tasks, which may outlive the ticket.
  std::shared_ptr<std::vector<truth::CellHandle>> cells;
  std::vector<BackgroundFetch::Ticket> tasks;

  Mutex mutex;
  StoppableCondition changed;
  bool is_assembling GUARDED_BY(mutex) = false;
  std::shared_ptr<const GroundTruth> truth GUARDED_BY(mutex);
};

TruthTicket::TruthTicket(std::unique_ptr<State> state) : state_(std::move(state)) {}

TruthTicket::~TruthTicket() = default;

bool TruthTicket::ready() const {
  return std::all_of(state_->tasks.begin(), state_->tasks.end(), [](const BackgroundFetch::Ticket& task) { return task.ready(); });
}

std::shared_ptr<const GroundTruth> TruthTicket::wait(std::stop_token stop, BackgroundFetch::Deadline deadline) const {
  State& state = *state_;
  if (state.error) std::rethrow_exception(state.error);
  for (const BackgroundFetch::Ticket& task : state.tasks) task.wait(stop, deadline);

  MutexLock lock(state.mutex);
  if (!state.changed.wait(lock, stop, [&]() REQUIRES(state.mutex) { return !state.is_assembling; }))
    throw Cancelled("stopped while waiting for ground truth");
  if (state.truth) return state.truth;
  state.is_assembling = true;
  lock.unlock();
  std::shared_ptr<const GroundTruth> truth;
  std::exception_ptr error;
  try {
    truth = std::make_shared<const GroundTruth>(state.store->assemble(state.box, state.units, *state.cells));
  } catch (...) {
    error = std::current_exception();
  }
  lock.lock();
  state.is_assembling = false;
  state.truth = truth;
  // The cells may leave the cache and memory; the tile's part of them is kept.
  if (truth) state.cells->clear();
  state.changed.notify_all();
  lock.unlock();
  if (error) std::rethrow_exception(error);
  return truth;
}

std::shared_ptr<const TruthTicket> TruthFetcher::start(const Bounds& box, int epsg) const {
  auto state = std::make_unique<TruthTicket::State>();
  state->store = &store_;
  state->box = box;
  try {
    state->units = store_.units(box, epsg);
    state->cells = std::make_shared<std::vector<truth::CellHandle>>(state->units.size());
    state->tasks.reserve(state->units.size());
    for (std::size_t u = 0; u < state->units.size(); ++u) {
      state->tasks.push_back(pool_.submit([&store = store_, unit = state->units[u], cells = state->cells, u](std::stop_token stop) {
        (*cells)[u] = store.load(unit, stop);
      }));
    }
  } catch (const Error&) {
    state->tasks.clear();
    state->error = std::current_exception();
  }
  return std::shared_ptr<const TruthTicket>(new TruthTicket(std::move(state)));
}

}  // namespace tuile::prefetch

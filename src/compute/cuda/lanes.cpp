#include "compute/cuda/lanes.hpp"

#include <algorithm>
#include <string>

#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::compute::cuda {

LaneLease::~LaneLease() {
  lane().drain();
  lanes_.give_back(device_, held_);
}

Lanes::Lanes(std::vector<std::unique_ptr<Device>>& devices) {
  for (const auto& device : devices) {
    Entry& entry = entries_.emplace_back(Entry{device.get(), {}});
    entry.free.reserve(device->lanes().size());  // giving back must not fail
    for (const auto& lane : device->lanes()) entry.free.push_back(lane.get());
  }
}

std::unique_ptr<LaneLease> Lanes::lease(Share share, const std::stop_token& stop) {
  Device* device = nullptr;
  std::vector<Lane*> held;
  {
    MutexLock lock(mutex_);
    const std::uint64_t ticket = next_ticket_++;
    waiting_.push_back(ticket);
    Entry* entry = nullptr;
    changed_.wait(lock, stop,
                  [&]() REQUIRES(mutex_) { return !any_left() || (waiting_.front() == ticket && (entry = find(share)) != nullptr); });
    std::erase(waiting_, ticket);
    changed_.notify_all();  // the next in line may go on
    if (stop.stop_requested()) throw Cancelled("stopped while waiting for a CUDA device");
    if (entry == nullptr) throw_all_lost();
    if (share == Share::device) {
      held = entry->free;
      entry->free.clear();
    } else {
      held.push_back(entry->free.back());
      entry->free.pop_back();
    }
    device = entry->device;
  }
  try {
    return std::make_unique<LaneLease>(*this, *device, held);
  } catch (...) {
    give_back(*device, held);
    throw;
  }
}

bool Lanes::any_free() const {
  const MutexLock lock(mutex_);
  return waiting_.empty() &&
         std::any_of(entries_.begin(), entries_.end(), [](const Entry& entry) { return !entry.free.empty() && !entry.device->is_lost(); });
}

void Lanes::drop(Device& device, const std::string& reason) {
  device.drop(reason);
  const MutexLock lock(mutex_);
  changed_.notify_all();
}

void Lanes::give_back(Device& device, const std::vector<Lane*>& lanes) noexcept {
  const MutexLock lock(mutex_);
  for (Entry& entry : entries_) {
    if (entry.device == &device) entry.free.insert(entry.free.end(), lanes.begin(), lanes.end());
  }
  changed_.notify_all();
}

Lanes::Entry* Lanes::find(Share share) {
  Entry* best = nullptr;
  for (Entry& entry : entries_) {
    if (entry.device->is_lost()) continue;
    const std::size_t least = share == Share::device ? entry.device->lanes().size() : 1;
    if (entry.free.size() >= least && (best == nullptr || entry.free.size() > best->free.size())) best = &entry;
  }
  return best;
}

bool Lanes::any_left() const {
  return std::any_of(entries_.begin(), entries_.end(), [](const Entry& entry) { return !entry.device->is_lost(); });
}

void Lanes::throw_all_lost() const {
  std::string message = "no CUDA device is left to compute on:";
  for (const Entry& entry : entries_) message += " [" + entry.device->report().lost + "]";
  throw DeviceError(message);
}

}  // namespace tuile::compute::cuda

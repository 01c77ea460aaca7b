// Streams and events.

#include "support/fake_cuda/state.hpp"

using namespace fake_cuda;

namespace {

cudaError_t new_stream(Call& call, cudaStream_t* stream, bool blocking) {
  if (call.fails()) return call.error();
  auto made = std::make_shared<CUstream_st>();
  made->device = &call.device();
  made->blocking = blocking;
  *stream = made.get();
  made->device->streams.push_back(made);
  state().streams.emplace(made.get(), made);
  return cudaSuccess;
}

CUevent_st* find_event(cudaEvent_t handle) {
  const auto entry = state().events.find(handle);
  return entry == state().events.end() ? nullptr : entry->second.get();
}

// Puts the event where it marks what is on the stream so far.
std::shared_ptr<Record> put_record(Lock& lock, CUstream_st& stream) {
  auto record = std::make_shared<Record>();
  record->stream = stream.shared_from_this();
  record->number = put(
      lock, stream,
      [record](Lock&) {
        record->done = true;
        record->time = std::chrono::steady_clock::now();
        record->stream.reset();
      },
      true);
  return record;
}

void wait_for(Lock& lock, const std::shared_ptr<Record>& record) {
  while (!record->done) {
    const auto stream = record->stream;
    drain(lock, *stream, record->number);
  }
}

}  // namespace

extern "C" {

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  Call call("cudaStreamCreate");
  return new_stream(call, stream, true);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  Call call("cudaStreamCreateWithFlags");
  return new_stream(call, stream, flags != cudaStreamNonBlocking);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) {
  Call call("cudaStreamCreateWithPriority");
  return new_stream(call, stream, flags != cudaStreamNonBlocking);
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  Call call("cudaStreamDestroy");
  const auto entry = state().streams.find(handle);
  if (entry == state().streams.end()) return call.result(cudaErrorInvalidResourceHandle);
  const auto stream = entry->second;
  state().streams.erase(entry);
  stream->destroyed = true;
  // What is left on it still runs, whenever the device is waited for; nothing is left of a lost one.
  if (stream->device->lost != cudaSuccess || stream->queue.empty()) drain(call.lock(), *stream);
  return call.error();
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  Call call("cudaStreamSynchronize");
  if (call.fails()) return call.error();
  const auto stream = call.stream(handle);
  if (stream == nullptr) return call.error();
  drain(call.lock(), *stream);
  trim_pools(stream->device->id);
  return call.result(stream->device->lost);
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
  Call call("cudaStreamQuery");
  if (call.fails()) return call.error();
  const auto stream = call.stream(handle);
  if (stream == nullptr) return call.error();
  if (!stream->busy) step(call.lock(), *stream);
  if (stream->device->lost != cudaSuccess) return call.result(stream->device->lost);
  return stream->queue.empty() && !stream->busy ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned) {
  Call call("cudaStreamWaitEvent");
  if (call.fails()) return call.error();
  const auto stream = call.stream(handle);
  if (stream == nullptr) return call.error();
  const CUevent_st* found = find_event(event);
  if (found == nullptr) return call.result(cudaErrorInvalidResourceHandle);
  if (const auto record = found->record; record != nullptr) {
    put(
        call.lock(), *stream, [record](Lock& lock) { wait_for(lock, record); }, true);
  }
  return cudaSuccess;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void* user_data) {
  Call call("cudaLaunchHostFunc");
  if (call.fails()) return call.error();
  const auto stream = call.stream(handle);
  if (stream == nullptr) return call.error();
  put(call.lock(), *stream, [function, user_data](Lock& lock) {
    let_device_memory_be_touched(false);
    lock.unlock();
    function(user_data);
    lock.lock();
  });
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  Call call("cudaEventCreateWithFlags");
  if (call.fails()) return call.error();
  auto made = std::make_unique<CUevent_st>();
  made->device = current_device();
  made->timed = (flags & cudaEventDisableTiming) == 0;
  *event = made.get();
  state().events.emplace(made.get(), std::move(made));
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  Call call("cudaEventDestroy");
  if (state().events.erase(event) == 0) return call.result(cudaErrorInvalidResourceHandle);
  return call.error();
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
  Call call("cudaEventRecord");
  if (call.fails()) return call.error();
  const auto stream = call.stream(handle);
  if (stream == nullptr) return call.error();
  CUevent_st* found = find_event(event);
  if (found == nullptr || found->device != stream->device->id) return call.result(cudaErrorInvalidResourceHandle);
  found->record = put_record(call.lock(), *stream);
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  Call call("cudaEventSynchronize");
  if (call.fails()) return call.error();
  const CUevent_st* found = find_event(event);
  if (found == nullptr) return call.result(cudaErrorInvalidResourceHandle);
  const Device& device = *state().devices[static_cast<std::size_t>(found->device)];
  if (const auto record = found->record; record != nullptr) {
    wait_for(call.lock(), record);
    trim_pools(device.id);
  }
  return call.result(device.lost);
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  Call call("cudaEventQuery");
  if (call.fails()) return call.error();
  const CUevent_st* found = find_event(event);
  if (found == nullptr) return call.result(cudaErrorInvalidResourceHandle);
  const auto record = found->record;
  const Device& device = *state().devices[static_cast<std::size_t>(found->device)];
  if (record != nullptr && !record->done && !record->stream->busy) step(call.lock(), *std::shared_ptr(record->stream));
  if (device.lost != cudaSuccess) return call.result(device.lost);
  return record == nullptr || record->done ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  Call call("cudaEventElapsedTime");
  if (call.fails()) return call.error();
  const CUevent_st *from = find_event(start), *to = find_event(end);
  if (from == nullptr || to == nullptr || !from->timed || !to->timed || from->record == nullptr || to->record == nullptr ||
      from->device != to->device) {
    return call.result(cudaErrorInvalidResourceHandle);
  }
  if (!from->record->done || !to->record->done) return cudaErrorNotReady;
  *milliseconds = std::chrono::duration<float, std::milli>(to->record->time - from->record->time).count();
  return cudaSuccess;
}
}

#pragma once

// The errors of the runtime that our code may meet, by CUDA's names and numbers: X(name, number, text).
#define FAKE_CUDA_ERRORS(X)                                                                   \
  X(cudaSuccess, 0, "no error")                                                               \
  X(cudaErrorInvalidValue, 1, "invalid argument")                                             \
  X(cudaErrorMemoryAllocation, 2, "out of memory")                                            \
  X(cudaErrorInitializationError, 3, "initialization error")                                  \
  X(cudaErrorCudartUnloading, 4, "driver shutting down")                                      \
  X(cudaErrorInvalidConfiguration, 9, "invalid configuration argument")                       \
  X(cudaErrorInvalidDevicePointer, 17, "invalid device pointer")                              \
  X(cudaErrorInvalidMemcpyDirection, 21, "invalid copy direction for memcpy")                 \
  X(cudaErrorStubLibrary, 34, "the library is a stub")                                        \
  X(cudaErrorInsufficientDriver, 35, "the driver is older than the runtime needs, or absent") \
  X(cudaErrorCallRequiresNewerDriver, 36, "the call needs a newer driver")                    \
  X(cudaErrorDevicesUnavailable, 46, "all devices are busy or unavailable")                   \
  X(cudaErrorIncompatibleDriverContext, 49, "incompatible driver context")                    \
  X(cudaErrorInvalidDeviceFunction, 98, "invalid device function")                            \
  X(cudaErrorNoDevice, 100, "no CUDA-capable device is detected")                             \
  X(cudaErrorInvalidDevice, 101, "invalid device ordinal")                                    \
  X(cudaErrorDeviceNotLicensed, 102, "the device is not licensed for compute")                \
  X(cudaErrorStartupFailure, 127, "startup failure")                                          \
  X(cudaErrorInvalidKernelImage, 200, "the kernel image is invalid")                          \
  X(cudaErrorDeviceUninitialized, 201, "invalid device context")                              \
  X(cudaErrorNoKernelImageForDevice, 209, "no kernel image for this device")                  \
  X(cudaErrorECCUncorrectable, 214, "uncorrectable ECC error")                                \
  X(cudaErrorInvalidPtx, 218, "the PTX could not be compiled")                                \
  X(cudaErrorNvlinkUncorrectable, 220, "uncorrectable NVLink error")                          \
  X(cudaErrorJitCompilerNotFound, 221, "the PTX compiler was not found")                      \
  X(cudaErrorUnsupportedPtxVersion, 222, "the PTX is newer than the driver")                  \
  X(cudaErrorJitCompilationDisabled, 223, "PTX compilation is disabled")                      \
  X(cudaErrorContained, 226, "contained error of the device's memory")                        \
  X(cudaErrorSharedObjectInitFailed, 303, "a shared object failed to start")                  \
  X(cudaErrorOperatingSystem, 304, "a call of the operating system failed")                   \
  X(cudaErrorInvalidResourceHandle, 400, "invalid resource handle")                           \
  X(cudaErrorIllegalState, 401, "a resource is not in a state for the call")                  \
  X(cudaErrorNotReady, 600, "not ready")                                                      \
  X(cudaErrorIllegalAddress, 700, "an illegal memory access was encountered")                 \
  X(cudaErrorLaunchOutOfResources, 701, "too many resources requested for the launch")        \
  X(cudaErrorLaunchTimeout, 702, "the kernel took too long and was ended")                    \
  X(cudaErrorContextIsDestroyed, 709, "the context is destroyed")                             \
  X(cudaErrorAssert, 710, "an assertion in device code failed")                               \
  X(cudaErrorHostMemoryAlreadyRegistered, 712, "the host memory is registered already")       \
  X(cudaErrorHostMemoryNotRegistered, 713, "the host memory is not registered")               \
  X(cudaErrorHardwareStackError, 714, "stack error of the hardware")                          \
  X(cudaErrorIllegalInstruction, 715, "an illegal instruction was encountered")               \
  X(cudaErrorMisalignedAddress, 716, "misaligned address")                                    \
  X(cudaErrorInvalidAddressSpace, 717, "operation not supported on this address space")       \
  X(cudaErrorInvalidPc, 718, "invalid program counter")                                       \
  X(cudaErrorLaunchFailure, 719, "unspecified launch failure")                                \
  X(cudaErrorNotPermitted, 800, "operation not permitted")                                    \
  X(cudaErrorNotSupported, 801, "operation not supported")                                    \
  X(cudaErrorSystemNotReady, 802, "the system is not ready for CUDA")                         \
  X(cudaErrorSystemDriverMismatch, 803, "versions of driver and system differ")               \
  X(cudaErrorCompatNotSupportedOnDevice, 804, "forward compatibility is not supported here")  \
  X(cudaErrorTimeout, 909, "the operation took too long")                                     \
  X(cudaErrorExternalDevice, 911, "asynchronous error outside the device")                    \
  X(cudaErrorUnknown, 999, "unknown error")

#define FAKE_CUDA_ENUMERATOR(name, number, text) name = number,
enum cudaError { FAKE_CUDA_ERRORS(FAKE_CUDA_ENUMERATOR) };
#undef FAKE_CUDA_ENUMERATOR
using cudaError_t = cudaError;

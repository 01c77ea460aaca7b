#pragma once

#include <filesystem>
#include <memory>

#include "tuile/core/executor.hpp"
#include "tuile/write/sink.hpp"

namespace tuile::write {

enum class Compression {
  none,     ///< stored: written at disk speed, can be memory-mapped (array data is 64-byte aligned in the file)
  deflate,  ///< a third to a half of the size, at some 30 MB/s a thread; every program that reads NPZ reads it
};

/// NumPy's .npz (a ZIP64 archive of .npy arrays): xyz float32 (N,3) metres relative to origin float64 (3,), features float32 (N,F),
/// feature_names (F,), classification uint8 (N,), valid bool (N,) where the layout has it. Where the layout has labels also labels uint8
/// (N,), label_source uint8 (N,), label_object int32 (N,), and the table that it counts: object_ids text (M,), object_layer uint8 (M,), and
/// object_<attribute> text (M,) per attribute. Texts are cut at 200 characters, what is not UTF-8 becomes U+FFFD; in an attribute's name,
/// what no file name can have becomes "_", and a name that is taken ("ids") gets a "_" behind it.
/// Stored, the bytes of the file depend on the rows only; deflated, also on where blocks are cut, unless they are cut at multiples of
/// `npz_chunk_rows`. Memory: a few MB and the object table, whatever the tile (deflate spools to a temporary beside the file).
/// executor   must outlive the sink; conversion, CRC and deflate of a block run on it
/// Throws InvalidArgument (a feature name that is empty or not ASCII; an object table as check_layout refuses it), IoError,
/// PermissionDenied.
std::unique_ptr<Sink> make_npz_sink(const std::filesystem::path& path, const TileLayout& layout, Compression compression,
                                    Executor& executor);

inline constexpr std::uint64_t npz_chunk_rows = 65536;

}  // namespace tuile::write

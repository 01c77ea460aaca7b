#pragma once

#include <vector>

#include "tuile/core/ground_truth.hpp"
#include "tuile/las/file_info.hpp"

namespace tuile::write {

/// Whether a VLR or EVLR is a part of an object table that tuile wrote.
bool is_object_record(const las::Vlr& record) noexcept;

/// Puts the object table into a file's records, in the place of one that is there: an EVLR, or in files older than LAS 1.4, which have
/// none, as many VLRs as it takes. The text is described in laz_sink.hpp. Where a header line and one row do not fit a VLR together, the
/// table is left out.
void put_objects(const ObjectTable& objects, las::FileInfo& info);

}  // namespace tuile::write

#include "geos_polygons.hpp"

#include <geos_c.h>

#include <new>

namespace tuile::truth {

namespace {

constexpr int quadrant_segments = 8;

void ignore_message(const char*, void*) {}

}  // namespace

struct GeosPolygons::Impl {
  struct ContextEnd {
    void operator()(GEOSContextHandle_HS* context) const { GEOS_finish_r(context); }
  };
  struct GeometryEnd {
    GEOSContextHandle_t context;
    void operator()(GEOSGeometry* geometry) const { GEOSGeom_destroy_r(context, geometry); }
  };
  using Geometry = std::unique_ptr<GEOSGeometry, GeometryEnd>;

  std::unique_ptr<GEOSContextHandle_HS, ContextEnd> context{GEOS_init_r()};

  GEOSContextHandle_t handle() const { return context.get(); }
  Geometry own(GEOSGeometry* geometry) const { return Geometry(geometry, GeometryEnd{handle()}); }

  GEOSCoordSequence* sequence(const Ring& places) const {
    return GEOSCoordSeq_copyFromBuffer_r(handle(), &places.front().x, static_cast<unsigned>(places.size()), 0, 0);
  }

  Geometry ring(Ring places) const {
    places.push_back(places.front());
    GEOSCoordSequence* vertices = sequence(places);
    return own(vertices != nullptr ? GEOSGeom_createLinearRing_r(handle(), vertices) : nullptr);
  }

  Geometry polygon(const Rings& rings) const {
    std::vector<GEOSGeometry*> holes;
    Geometry shell = ring(rings.front());
    bool complete = shell != nullptr;
    for (std::size_t i = 1; i < rings.size() && complete; ++i) {
      Geometry hole = ring(rings[i]);
      complete = hole != nullptr;
      if (complete) holes.push_back(hole.release());
    }
    if (!complete) {
      for (GEOSGeometry* hole : holes) GEOSGeom_destroy_r(handle(), hole);
      return own(nullptr);
    }
    return own(GEOSGeom_createPolygon_r(handle(), shell.release(), holes.data(), static_cast<unsigned>(holes.size())));
  }

  /// A collection of `type`; null where a part is.
  Geometry collected(int type, std::vector<Geometry> parts) const {
    std::vector<GEOSGeometry*> raw;
    for (const Geometry& part : parts) {
      if (!part) return own(nullptr);
    }
    for (Geometry& part : parts) raw.push_back(part.release());
    return own(GEOSGeom_createCollection_r(handle(), type, raw.data(), static_cast<unsigned>(raw.size())));
  }

  Geometry polygons(const std::vector<Rings>& rings) const {
    if (rings.size() == 1) return polygon(rings.front());
    std::vector<Geometry> parts;
    for (const Rings& one : rings) parts.push_back(polygon(one));
    return collected(GEOS_MULTIPOLYGON, std::move(parts));
  }

  Geometry made_valid(const GEOSGeometry* geometry) const {
    GEOSMakeValidParams* parameters = GEOSMakeValidParams_create_r(handle());
    GEOSMakeValidParams_setMethod_r(handle(), parameters, GEOS_MAKE_VALID_STRUCTURE);
    GEOSMakeValidParams_setKeepCollapsed_r(handle(), parameters, 0);
    Geometry valid = own(GEOSMakeValidWithParams_r(handle(), geometry, parameters));
    GEOSMakeValidParams_destroy_r(handle(), parameters);
    return valid ? std::move(valid) : own(GEOSMakeValid_r(handle(), geometry));
  }

  Ring places(const GEOSGeometry* ring) const {
    const GEOSCoordSequence* vertices = GEOSGeom_getCoordSeq_r(handle(), ring);
    unsigned count = 0;
    GEOSCoordSeq_getSize_r(handle(), vertices, &count);
    Ring result(count);
    if (count > 0) GEOSCoordSeq_copyToBuffer_r(handle(), vertices, &result.front().x, 0, 0);
    if (!result.empty()) result.pop_back();
    return result;
  }

  /// Appends the polygons of `geometry`; lines and points that are left of mended rings have no area.
  void take_polygons(const GEOSGeometry* geometry, std::vector<Rings>& result) const {
    const int type = GEOSGeomTypeId_r(handle(), geometry);
    if (type == GEOS_POLYGON && GEOSisEmpty_r(handle(), geometry) == 0) {
      Rings rings{places(GEOSGetExteriorRing_r(handle(), geometry))};
      for (int i = 0; i < GEOSGetNumInteriorRings_r(handle(), geometry); ++i) {
        rings.push_back(places(GEOSGetInteriorRingN_r(handle(), geometry, i)));
      }
      result.push_back(std::move(rings));
    } else if (type == GEOS_MULTIPOLYGON || type == GEOS_GEOMETRYCOLLECTION) {
      for (int i = 0; i < GEOSGetNumGeometries_r(handle(), geometry); ++i) take_polygons(GEOSGetGeometryN_r(handle(), geometry, i), result);
    }
  }

  std::vector<Rings> taken(const Geometry& geometry) const {
    std::vector<Rings> result;
    if (!geometry || GEOSNormalize_r(handle(), geometry.get()) != 0) return result;
    take_polygons(geometry.get(), result);
    return result;
  }

  Geometry buffer(const GEOSGeometry* lines, double distance, bool flat_caps) const {
    GEOSBufferParams* parameters = GEOSBufferParams_create_r(handle());
    GEOSBufferParams_setQuadrantSegments_r(handle(), parameters, quadrant_segments);
    GEOSBufferParams_setEndCapStyle_r(handle(), parameters, flat_caps ? GEOSBUF_CAP_FLAT : GEOSBUF_CAP_ROUND);
    GEOSBufferParams_setJoinStyle_r(handle(), parameters, GEOSBUF_JOIN_ROUND);
    Geometry result = own(GEOSBufferWithParams_r(handle(), lines, parameters, distance));
    GEOSBufferParams_destroy_r(handle(), parameters);
    return result;
  }
};

GeosPolygons::GeosPolygons() : impl_(std::make_unique<Impl>()) {
  if (!impl_->context) throw std::bad_alloc();
  GEOSContext_setNoticeMessageHandler_r(impl_->handle(), &ignore_message, nullptr);
  GEOSContext_setErrorMessageHandler_r(impl_->handle(), &ignore_message, nullptr);
}

GeosPolygons::~GeosPolygons() = default;

bool GeosPolygons::is_valid(const std::vector<Rings>& polygons) {
  const Impl::Geometry geometry = impl_->polygons(polygons);
  return geometry && GEOSisValid_r(impl_->handle(), geometry.get()) == 1;
}

std::vector<Rings> GeosPolygons::mended(const std::vector<Rings>& polygons) {
  const Impl::Geometry geometry = impl_->polygons(polygons);
  const Impl::Geometry valid = geometry ? impl_->made_valid(geometry.get()) : impl_->own(nullptr);
  if (!valid) throw CorruptData("GEOS could not mend an invalid polygon");
  return impl_->taken(valid);
}

std::vector<Rings> GeosPolygons::buffered(const std::vector<Ring>& lines, double distance, bool flat_caps,
                                          const std::vector<Rings>& polygons) {
  std::vector<Impl::Geometry> parts;
  for (const Ring& line : lines) {
    GEOSCoordSequence* vertices = impl_->sequence(line);
    parts.push_back(impl_->own(vertices != nullptr ? GEOSGeom_createLineString_r(impl_->handle(), vertices) : nullptr));
  }
  const Impl::Geometry all = impl_->collected(GEOS_MULTILINESTRING, std::move(parts));
  Impl::Geometry area = all ? impl_->buffer(all.get(), distance, flat_caps) : impl_->own(nullptr);
  if (area && !polygons.empty()) {
    const Impl::Geometry others = impl_->polygons(polygons);
    area = others ? impl_->own(GEOSUnion_r(impl_->handle(), area.get(), others.get())) : impl_->own(nullptr);
  }
  // Of lines that were checked before, so memory is what GEOS lacks: an area that is silently missing would be a wrong label.
  if (!area) throw OutOfMemory("GEOS could not make the area of a line");
  return impl_->taken(area);
}

}  // namespace tuile::truth

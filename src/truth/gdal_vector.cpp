#include "gdal_vector.hpp"

#include <strings.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <optional>
#include <string_view>

#include "gdal/session.hpp"

namespace tuile::truth::ogr {

using namespace tuile::gdal;  // sessions and handles

namespace {

constexpr int edge_points = 21;      // of a box's edge when it is moved to another CRS
constexpr double box_margin = 0.01;  // of its size: what edges that bend between those points may lose
constexpr std::size_t stop_every = 256;

/// Lets go of a layer's filters and ignored fields, whatever happens.
class LayerReset {
 public:
  explicit LayerReset(OGRLayerH layer) : layer_(layer) {}
  ~LayerReset() {
    OGR_L_SetAttributeFilter(layer_, nullptr);
    OGR_L_SetIgnoredFields(layer_, nullptr);
    OGR_L_ResetReading(layer_);
  }
  LayerReset(const LayerReset&) = delete;
  LayerReset& operator=(const LayerReset&) = delete;

 private:
  OGRLayerH layer_;
};

bool same_name(std::string_view a, std::string_view b) { return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0; }

std::string quoted(const char* name) {
  std::string text(1, '"');
  for (; *name != '\0'; ++name) {
    if (*name == '"') text += '"';
    text += *name;
  }
  return text + '"';
}

std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

/// Shapefiles may lie about their encoding; what is no UTF-8 is taken for Latin-1.
std::string utf8(const char* text) {
  if (CPLIsUTF8(text, -1) != 0) return text;
  const std::unique_ptr<char, void (*)(void*)> recoded(CPLRecode(text, CPL_ENC_ISO8859_1, CPL_ENC_UTF8), &VSIFree);
  return recoded.get();
}

/// ISO 8601, as the service writes dates, whatever the file's format stores.
std::string date_text(OGRFeatureH feature, int field, OGRFieldType type) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, zone = 0;
  float second = 0;
  OGR_F_GetFieldAsDateTimeEx(feature, field, &year, &month, &day, &hour, &minute, &second, &zone);
  char date[48] = "", time[64] = "";
  if (type != OFTTime) std::snprintf(date, sizeof date, "%04d-%02d-%02d", year, month, day);
  if (type == OFTDate) return date;
  const int milliseconds = static_cast<int>(std::lround(double{second} * 1000));
  std::snprintf(time, sizeof time, "%02d:%02d:%02d", hour, minute, milliseconds / 1000);
  std::string text = type == OFTTime ? time : std::string(date) + "T" + time;
  if (milliseconds % 1000 != 0) {
    std::snprintf(time, sizeof time, ".%03d", milliseconds % 1000);
    text += time;
  }
  // OGR's time zones: 0 unknown, 1 local, 100 UTC, a step a quarter of an hour.
  if (zone == 100) return text + "Z";
  if (zone > 1) {
    const int quarters = std::abs(zone - 100);
    std::snprintf(time, sizeof time, "%c%02d:%02d", zone < 100 ? '-' : '+', quarters / 4, quarters % 4 * 15);
    text += time;
  }
  return text;
}

struct Field {
  std::string name;
  OGRFieldType type;
  bool boolean;
};

AttributeValue value_of(OGRFeatureH feature, int index, const Field& field) {
  if (OGR_F_IsFieldSetAndNotNull(feature, index) == 0) return std::monostate{};
  switch (field.type) {
    case OFTInteger:
      if (field.boolean) return OGR_F_GetFieldAsInteger(feature, index) != 0;
      [[fallthrough]];
    case OFTInteger64: return static_cast<std::int64_t>(OGR_F_GetFieldAsInteger64(feature, index));
    case OFTReal: return OGR_F_GetFieldAsDouble(feature, index);
    case OFTDate:
    case OFTTime:
    case OFTDateTime: return date_text(feature, index, field.type);
    default: return utf8(OGR_F_GetFieldAsString(feature, index));
  }
}

Bounds to_bounds(const OGREnvelope& envelope) { return {envelope.MinX, envelope.MinY, envelope.MaxX, envelope.MaxY}; }

float rounded_down(double value) {
  const auto rounded = static_cast<float>(value);
  return double{rounded} > value ? std::nextafter(rounded, -std::numeric_limits<float>::infinity()) : rounded;
}

float rounded_up(double value) { return -rounded_down(-value); }

void check_stop(const std::stop_token& stop, std::size_t count) {
  if (count % stop_every == 0 && stop.stop_requested()) throw Cancelled("reading vector data was cancelled");
}

/// Moves a box by a transformation; nothing where its border leaves the domain.
std::optional<Bounds> moved(OGRCoordinateTransformationH transformation, const Bounds& box) {
  Bounds result;
  if (OCTTransformBounds(transformation, box.min_x, box.min_y, box.max_x, box.max_y, &result.min_x, &result.min_y, &result.max_x,
                         &result.max_y, edge_points) == 0 ||
      !std::isfinite(result.width()) || !std::isfinite(result.height()) || result.empty()) {
    return std::nullopt;
  }
  return result;
}

}  // namespace

struct Reader::Impl {
  struct Layer {
    OGRLayerH handle;
    std::string name;
    std::vector<Field> fields;
    int id = -1;  ///< the field whose value names the objects; -1: none
    std::optional<bool> indexed;
    /// To the CRS of a code; null where the layer is in it, or in none.
    std::map<int, OwnedTransformation> transformations;
  };

  std::string path;
  OwnedDataset dataset;
  std::vector<Layer> layers;
  bool geopackage = false;

  std::string place(const Layer& layer) const { return path + ", layer " + layer.name; }

  void check(const Session& session, const Layer& layer) const {
    if (session.failed()) throw CorruptData(place(layer) + " cannot be read: " + session.message() + "; is the file complete?");
  }

  OGRCoordinateTransformationH transformation(Layer& layer, int epsg, Session& session) {
    const auto known = layer.transformations.find(epsg);
    if (known != layer.transformations.end()) return known->second.get();
    const OwnedCrs target = make_crs(epsg, session);
    const OGRSpatialReferenceH source = OGR_L_GetSpatialRef(layer.handle);
    OwnedTransformation made;
    if (source != nullptr) {
      const char* code = OSRGetAuthorityCode(source, nullptr);
      const char* authority = OSRGetAuthorityName(source, nullptr);
      const bool same_code = code != nullptr && authority != nullptr && same_name(authority, "EPSG") && code == std::to_string(epsg);
      if (!same_code && OSRIsSame(source, target.get()) == 0) {
        const char* name = OSRGetName(source);
        made =
            make_transformation(source, target.get(), name != nullptr ? name : "the layer's CRS", "EPSG:" + std::to_string(epsg), session);
      }
    }
    session.clear();
    return layer.transformations.emplace(epsg, std::move(made)).first->second.get();
  }

  std::string id_of(OGRFeatureH feature, const Layer& layer) const {
    if (layer.id >= 0 && OGR_F_IsFieldSetAndNotNull(feature, layer.id) != 0) {
      std::string id = utf8(OGR_F_GetFieldAsString(feature, layer.id));
      if (!id.empty()) return id;
    }
    return layer.name + "." + std::to_string(OGR_F_GetFID(feature));
  }

  /// Appends `feature` where it touches `box`; counts it in `invalid` where its geometry cannot be read or moved.
  void take(OGRFeatureH feature, const Layer& layer, OGRCoordinateTransformationH to_asked, const Bounds& box, Session& session,
            std::vector<Feature>& taken, std::uint64_t& invalid) const {
    const OGRGeometryH geometry = OGR_F_GetGeometryRef(feature);
    if (geometry == nullptr) {
      // A geometry that the driver refused; the others are no worse for it.
      session.clear();
      ++invalid;
      return;
    }
    if (OGR_G_IsEmpty(geometry) != 0) return;
    if (to_asked != nullptr && OGR_G_Transform(geometry, to_asked) != OGRERR_NONE) {
      session.clear();
      ++invalid;
      return;
    }
    OGREnvelope envelope;
    OGR_G_GetEnvelope(geometry, &envelope);
    if (!to_bounds(envelope).intersects(box)) return;
    Feature& result = taken.emplace_back();
    result.id = id_of(feature, layer);
    result.geometry = to_wkb(geometry);
    result.attributes.reserve(layer.fields.size());
    for (std::size_t i = 0; i < layer.fields.size(); ++i) {
      result.attributes.emplace_back(layer.fields[i].name, value_of(feature, static_cast<int>(i), layer.fields[i]));
    }
  }
};

Reader::Reader(const std::string& path) : impl_(std::make_unique<Impl>()) {
  const Session session;
  impl_->path = path;
  impl_->dataset.reset(GDALOpenEx(path.c_str(), GDAL_OF_VECTOR | GDAL_OF_READONLY, nullptr, nullptr, nullptr));
  if (!impl_->dataset) {
    throw ConfigError(path + " is no vector data (" + session.message() + "); a GeoPackage, FlatGeobuf, GeoJSON or Shapefile is expected");
  }
  impl_->geopackage = same_name(GDALGetDriverShortName(GDALGetDatasetDriver(impl_->dataset.get())), "GPKG");
  for (int i = 0; i < GDALDatasetGetLayerCount(impl_->dataset.get()); ++i) {
    const OGRLayerH handle = GDALDatasetGetLayer(impl_->dataset.get(), i);
    if (handle == nullptr || OGR_L_GetGeomType(handle) == wkbNone) continue;
    Impl::Layer& layer = impl_->layers.emplace_back();
    layer.handle = handle;
    layer.name = OGR_L_GetName(handle);
    const OGRFeatureDefnH definition = OGR_L_GetLayerDefn(handle);
    int text_id = -1;
    for (int field = 0; field < OGR_FD_GetFieldCount(definition); ++field) {
      const OGRFieldDefnH own = OGR_FD_GetFieldDefn(definition, field);
      const OGRFieldType type = OGR_Fld_GetType(own);
      layer.fields.push_back({utf8(OGR_Fld_GetNameRef(own)), type, OGR_Fld_GetSubType(own) == OFSTBoolean});
      if (same_name(layer.fields.back().name, "cleabs")) layer.id = field;
      if (same_name(layer.fields.back().name, "id") && type == OFTString) text_id = field;
    }
    if (layer.id < 0) layer.id = text_id;
  }
}

Reader::~Reader() {
  const Session quiet;
  impl_.reset();
}

std::vector<std::string> Reader::layers() const {
  std::vector<std::string> names;
  for (const Impl::Layer& layer : impl_->layers) names.push_back(layer.name);
  return names;
}

bool Reader::holds_many() const { return impl_->geopackage || impl_->layers.size() > 1; }

Bounds Reader::extent(std::size_t index, int epsg) {
  Session session;
  Impl::Layer& layer = impl_->layers.at(index);
  OGRCoordinateTransformationH to_asked = impl_->transformation(layer, epsg, session);
  OGREnvelope envelope;
  if (OGR_L_GetExtent(layer.handle, &envelope, TRUE) != OGRERR_NONE) return {};
  const Bounds box = to_bounds(envelope);
  // An empty Shapefile says this. Counting always would read through large GeoPackages that others than GDAL wrote.
  if (box == Bounds{0, 0, 0, 0} && OGR_L_GetFeatureCount(layer.handle, TRUE) == 0) return {};
  if (to_asked == nullptr || box.empty()) return box;
  const std::optional<Bounds> result = moved(to_asked, box);
  if (!result)
    throw Unsupported(impl_->place(layer) + " reaches where EPSG:" + std::to_string(epsg) + " is not defined; cut it to the tiles' region");
  return *result;
}

Bounds Reader::in_layer(std::size_t index, const Bounds& box, int epsg) {
  Session session;
  OGRCoordinateTransformationH to_asked = impl_->transformation(impl_->layers.at(index), epsg, session);
  if (to_asked == nullptr) return box;
  const OwnedTransformation back(OCTGetInverse(to_asked));
  const std::optional<Bounds> result = back ? moved(back.get(), box) : std::nullopt;
  constexpr double everywhere = std::numeric_limits<double>::max();
  if (!result) return {-everywhere, -everywhere, everywhere, everywhere};
  return result->expanded(box_margin * std::max(result->width(), result->height()));
}

bool Reader::has_index(std::size_t index) {
  Impl::Layer& layer = impl_->layers.at(index);
  if (layer.indexed) return *layer.indexed;
  const Session session;
  layer.indexed = false;
  if (!impl_->geopackage) return false;
  const std::string table = quoted(("rtree_" + layer.name + "_" + OGR_L_GetGeometryColumn(layer.handle)).c_str());
  OGRLayerH answer = GDALDatasetExecuteSQL(impl_->dataset.get(), ("SELECT count(*) FROM (SELECT id FROM " + table + " LIMIT 1)").c_str(),
                                           nullptr, nullptr);
  if (answer != nullptr) {
    layer.indexed = OwnedFeature(OGR_L_GetNextFeature(answer)) != nullptr;
    GDALDatasetReleaseResultSet(impl_->dataset.get(), answer);
  }
  return *layer.indexed;
}

std::vector<Envelope> Reader::envelopes(std::size_t index, const std::stop_token& stop) {
  Session session;
  Impl::Layer& layer = impl_->layers.at(index);
  const LayerReset reset(layer.handle);
  std::vector<const char*> ignored;
  for (const Field& field : layer.fields) ignored.push_back(field.name.c_str());
  ignored.push_back(nullptr);
  // Where the format cannot leave fields out they are read for nothing.
  OGR_L_SetIgnoredFields(layer.handle, ignored.data());
  session.clear();
  OGR_L_ResetReading(layer.handle);
  std::vector<Envelope> result;
  for (std::size_t count = 0; OwnedFeature feature{OGR_L_GetNextFeature(layer.handle)}; ++count) {
    check_stop(stop, count);
    const OGRGeometryH geometry = OGR_F_GetGeometryRef(feature.get());
    if (geometry == nullptr || OGR_G_IsEmpty(geometry) != 0) continue;
    OGREnvelope box;
    OGR_G_GetEnvelope(geometry, &box);
    result.push_back(
        {rounded_down(box.MinX), rounded_down(box.MinY), rounded_up(box.MaxX), rounded_up(box.MaxY), OGR_F_GetFID(feature.get())});
  }
  impl_->check(session, layer);
  return result;
}

std::vector<Feature> Reader::features_by_box(std::size_t index, const Bounds& box, int epsg, const std::stop_token& stop,
                                             std::uint64_t& invalid) {
  Session session;
  Impl::Layer& layer = impl_->layers.at(index);
  OGRCoordinateTransformationH to_asked = impl_->transformation(layer, epsg, session);
  const Bounds own = in_layer(index, box, epsg);
  const LayerReset reset(layer.handle);
  // Not OGR's spatial filter: that tests the geometries themselves, and loses those that GEOS finds too damaged to test.
  const std::string filter = quoted(OGR_L_GetFIDColumn(layer.handle)) + " IN (SELECT id FROM " +
                             quoted(("rtree_" + layer.name + "_" + OGR_L_GetGeometryColumn(layer.handle)).c_str()) +
                             " WHERE maxx >= " + number(own.min_x) + " AND minx <= " + number(own.max_x) +
                             " AND maxy >= " + number(own.min_y) + " AND miny <= " + number(own.max_y) + ")";
  session.clear();
  OGR_L_SetAttributeFilter(layer.handle, filter.c_str());
  impl_->check(session, layer);
  OGR_L_ResetReading(layer.handle);
  std::vector<Feature> result;
  for (std::size_t count = 0; OwnedFeature feature{OGR_L_GetNextFeature(layer.handle)}; ++count) {
    check_stop(stop, count);
    impl_->take(feature.get(), layer, to_asked, box, session, result, invalid);
  }
  impl_->check(session, layer);
  return result;
}

std::vector<Feature> Reader::features_by_fid(std::size_t index, std::span<const std::int64_t> fids, const Bounds& box, int epsg,
                                             const std::stop_token& stop, std::uint64_t& invalid) {
  Session session;
  Impl::Layer& layer = impl_->layers.at(index);
  OGRCoordinateTransformationH to_asked = impl_->transformation(layer, epsg, session);
  session.clear();
  std::vector<Feature> result;
  if (OGR_L_TestCapability(layer.handle, OLCRandomRead) != 0) {
    for (std::size_t i = 0; i < fids.size(); ++i) {
      check_stop(stop, i);
      const OwnedFeature feature(OGR_L_GetFeature(layer.handle, fids[i]));
      if (!feature)
        throw CorruptData(impl_->place(layer) + ": feature " + std::to_string(fids[i]) + " cannot be read: " + session.message());
      impl_->take(feature.get(), layer, to_asked, box, session, result, invalid);
    }
  } else if (!fids.empty()) {
    const LayerReset reset(layer.handle);
    OGR_L_ResetReading(layer.handle);
    for (std::size_t count = 0; OwnedFeature feature{OGR_L_GetNextFeature(layer.handle)}; ++count) {
      check_stop(stop, count);
      const auto fid = static_cast<std::int64_t>(OGR_F_GetFID(feature.get()));
      if (std::binary_search(fids.begin(), fids.end(), fid)) impl_->take(feature.get(), layer, to_asked, box, session, result, invalid);
    }
  }
  impl_->check(session, layer);
  return result;
}

std::string linear_wkb(const std::string& wkb) {
  const Session session;
  OwnedGeometry geometry = from_wkb(wkb);
  if (!geometry) return {};
  if (OGR_G_HasCurveGeometry(geometry.get(), FALSE) != 0) geometry.reset(OGR_G_GetLinearGeometry(geometry.get(), 0, nullptr));
  const OGRwkbGeometryType type = OGR_GT_Flatten(OGR_G_GetGeometryType(geometry.get()));
  if (type == wkbPolyhedralSurface || type == wkbTIN || type == wkbTriangle) geometry.reset(OGR_G_ForceToMultiPolygon(geometry.release()));
  return to_wkb(geometry.get());
}

}  // namespace tuile::truth::ogr

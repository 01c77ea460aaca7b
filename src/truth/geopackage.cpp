#include <strings.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string_view>

#include "gdal/session.hpp"
#include "truth/vector_files.hpp"
#include "tuile/core/file/atomic_file.hpp"

namespace tuile::truth {

namespace {

namespace fs = std::filesystem;

constexpr const char* written_at = "2000-01-01T00:00:00.000Z";  // GeoPackages must say when; the same input must give the same bytes
constexpr std::int64_t exact_in_double = std::int64_t{1} << 53;

/// Sets a GDAL option for this thread while it lives.
class ThreadOption {
 public:
  ThreadOption(const char* key, const char* value) : key_(key) { CPLSetThreadLocalConfigOption(key, value); }
  ~ThreadOption() { CPLSetThreadLocalConfigOption(key_, nullptr); }
  ThreadOption(const ThreadOption&) = delete;
  ThreadOption& operator=(const ThreadOption&) = delete;

 private:
  const char* key_;
};

/// The GeoPackage beside its place, and what SQLite lays beside that.
class Temporary {
 public:
  explicit Temporary(const std::string& path) : file_(path, Folders::expect) {
    // Ours first, since GDAL would not say why it cannot create a file; then its own: it creates none over another.
    file_.leave_creation_to_writer();
  }
  ~Temporary() {
    std::error_code ignored;
    for (const char* companion : {"-journal", "-wal", "-shm"}) fs::remove(path() + companion, ignored);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  std::string path() const { return file_.temporary_path().string(); }
  void publish() { file_.publish(); }

 private:
  AtomicFile file_;
};

struct NoCase {
  bool operator()(std::string_view a, std::string_view b) const {
    const int order = strncasecmp(a.data(), b.data(), std::min(a.size(), b.size()));
    return order != 0 ? order < 0 : a.size() < b.size();
  }
};

/// What the values of one attribute have in common.
struct Column {
  std::string name;
  bool booleans = true, integers = true, numbers = true, small = true, any = false;

  void see(const AttributeValue& value) {
    if (std::holds_alternative<std::monostate>(value)) return;
    any = true;
    const auto* integer = std::get_if<std::int64_t>(&value);
    booleans = booleans && std::holds_alternative<bool>(value);
    integers = integers && integer != nullptr;
    numbers = numbers && (integer != nullptr || std::holds_alternative<double>(value));
    if (integer != nullptr) small = small && *integer <= exact_in_double && *integer >= -exact_in_double;
  }
  OGRFieldType type() const {
    if (!any) return OFTString;
    if (booleans) return OFTInteger;
    if (integers) return OFTInteger64;
    return numbers && small ? OFTReal : OFTString;
  }
};

/// The attributes of all features, each once, in order of appearance. Names that differ by case only are one: SQLite knows no better.
std::vector<Column> columns_of(const VectorLayer& layer) {
  std::vector<Column> columns;
  std::map<std::string_view, std::size_t, NoCase> known;
  const std::string id = "cleabs";
  bool named = layer.features.empty();
  for (const Feature& feature : layer.features) named = named || feature.find(id) != nullptr;
  if (!named) columns.push_back({id, false, false, false, false, true});
  for (const Feature& feature : layer.features) {
    for (const auto& [name, value] : feature.attributes) {
      const auto [entry, added] = known.emplace(name, columns.size());
      if (added) columns.push_back({name});
      columns[entry->second].see(value);
    }
  }
  return columns;
}

/// `wanted`, with underscores behind as long as an attribute has that name.
std::string free_name(std::string wanted, const std::vector<Column>& columns) {
  const auto taken = [&] {
    for (const Column& column : columns) {
      if (column.name.size() == wanted.size() && strncasecmp(column.name.data(), wanted.data(), wanted.size()) == 0) return true;
    }
    return false;
  };
  while (taken()) wanted += '_';
  return wanted;
}

OGRwkbGeometryType named_type(const std::string& name) {
  struct Named {
    std::string_view name;
    OGRwkbGeometryType type;
  };
  constexpr Named types[] = {{"", wkbUnknown},
                             {"Geometry", wkbUnknown},
                             {"Point", wkbPoint},
                             {"LineString", wkbLineString},
                             {"Polygon", wkbPolygon},
                             {"MultiPoint", wkbMultiPoint},
                             {"MultiLineString", wkbMultiLineString},
                             {"MultiPolygon", wkbMultiPolygon},
                             {"GeometryCollection", wkbGeometryCollection}};
  for (const Named& entry : types) {
    if (entry.name == name) return entry.type;
  }
  throw InvalidArgument(
      "'" + name + "' is no geometry type; Point, LineString, Polygon, MultiPoint, MultiLineString, MultiPolygon or Geometry is expected");
}

class Writer {
 public:
  Writer(const std::string& target, const std::string& path, int epsg) : target_(target), crs_(gdal::make_crs(epsg, session_)) {
    const GDALDriverH driver = GDALGetDriverByName("GPKG");
    if (driver == nullptr) throw Unsupported("this GDAL cannot write GeoPackages (" + target + "); install it with SQLite");
    dataset_.reset(GDALCreate(driver, path.c_str(), 0, 0, 0, GDT_Unknown, nullptr));
    check(dataset_ != nullptr);
  }

  void write(const VectorLayer& layer) {
    const std::vector<Column> columns = columns_of(layer);
    const OGRwkbGeometryType type = geometry_type(layer);
    const std::string geometry_name = "GEOMETRY_NAME=" + free_name("geometrie", columns);
    const std::string fid_name = "FID=" + free_name("fid", columns);
    std::string options[] = {geometry_name, fid_name};
    char* list[] = {options[0].data(), options[1].data(), nullptr};
    const OGRLayerH handle = GDALDatasetCreateLayer(dataset_.get(), layer.name.c_str(), crs_.get(), type, list);
    check(handle != nullptr);
    for (const Column& column : columns) {
      const std::unique_ptr<void, void (*)(void*)> field(OGR_Fld_Create(column.name.c_str(), column.type()), &destroy_field);
      if (column.any && column.booleans) OGR_Fld_SetSubType(field.get(), OFSTBoolean);
      check(OGR_L_CreateField(handle, field.get(), TRUE) == OGRERR_NONE);
    }
    check(GDALDatasetStartTransaction(dataset_.get(), FALSE) == OGRERR_NONE);
    for (const Feature& feature : layer.features) write(feature, columns, type, handle);
    check(GDALDatasetCommitTransaction(dataset_.get()) == OGRERR_NONE);
  }

  /// Indexes and extents are written only now.
  void close() {
    dataset_.reset();
    check(true);
  }

 private:
  static void destroy_field(void* field) { OGR_Fld_Destroy(static_cast<OGRFieldDefnH>(field)); }

  void check(bool good) const {
    if (!good || session_.failed()) throw IoError("cannot write " + target_ + ": " + session_.message());
  }

  /// The type asked for, with a Z where a feature has one.
  OGRwkbGeometryType geometry_type(const VectorLayer& layer) const {
    OGRwkbGeometryType type = named_type(layer.geometry);
    for (const Feature& feature : layer.features) {
      if (feature.geometry.empty()) continue;
      const gdal::OwnedGeometry geometry = gdal::from_wkb(feature.geometry);
      if (!geometry) throw CorruptData("the geometry of " + feature.id + " is no WKB; it cannot be written to " + target_);
      if (OGR_G_Is3D(geometry.get()) != 0) type = OGR_GT_SetZ(type);
    }
    return type;
  }

  void write(const Feature& feature, const std::vector<Column>& columns, OGRwkbGeometryType type, OGRLayerH layer) {
    const gdal::OwnedFeature row(OGR_F_Create(OGR_L_GetLayerDefn(layer)));
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const AttributeValue* value = feature.find(columns[i].name);
      const int field = static_cast<int>(i);
      if (value != nullptr) {
        set(row.get(), field, columns[i].type(), *value);
      } else if (i == 0 && columns[i].name == "cleabs") {
        OGR_F_SetFieldString(row.get(), field, feature.id.c_str());
      } else {
        OGR_F_SetFieldNull(row.get(), field);
      }
    }
    if (!feature.geometry.empty()) {
      gdal::OwnedGeometry geometry = gdal::from_wkb(feature.geometry);
      const OGRwkbGeometryType flat = OGR_GT_Flatten(type);
      // Only to the collection of its own kind: a line in a layer of polygons stays what it is.
      if (OGR_GT_GetCollection(OGR_GT_Flatten(OGR_G_GetGeometryType(geometry.get()))) == flat) {
        geometry.reset(OGR_G_ForceTo(geometry.release(), flat, nullptr));
      }
      OGR_F_SetGeometryDirectly(row.get(), geometry.release());
    }
    check(OGR_L_CreateFeature(layer, row.get()) == OGRERR_NONE);
  }

  static void set(OGRFeatureH row, int field, OGRFieldType type, const AttributeValue& value) {
    if (std::holds_alternative<std::monostate>(value)) {
      OGR_F_SetFieldNull(row, field);
    } else if (type == OFTInteger) {
      OGR_F_SetFieldInteger(row, field, std::get<bool>(value) ? 1 : 0);
    } else if (type == OFTInteger64) {
      OGR_F_SetFieldInteger64(row, field, std::get<std::int64_t>(value));
    } else if (type == OFTReal) {
      const auto* integer = std::get_if<std::int64_t>(&value);
      OGR_F_SetFieldDouble(row, field, integer != nullptr ? static_cast<double>(*integer) : std::get<double>(value));
    } else {
      OGR_F_SetFieldString(row, field, to_text(value).c_str());
    }
  }

  std::string target_;
  gdal::Session session_;
  gdal::OwnedCrs crs_;
  gdal::OwnedDataset dataset_;
};

}  // namespace

void write_geopackage(const std::string& path, std::span<const VectorLayer> layers, int epsg) {
  Temporary temporary(path);
  const ThreadOption date("OGR_CURRENT_DATE", written_at);
  // The order in which a thread beside us fills the index is not ours (and GDAL before 3.6.2 fails on several layers: its issue 6959).
  const ThreadOption index_here("OGR_GPKG_ALLOW_THREADED_RTREE", "NO");
  Writer writer(path, temporary.path(), epsg);
  for (const VectorLayer& layer : layers) writer.write(layer);
  writer.close();
  temporary.publish();
}

}  // namespace tuile::truth

#include "write/npz/npz_format.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "write/difference.hpp"
#include "write/npz/npz_reader.hpp"

namespace tuile::write {

namespace {

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + ")";
}

}  // namespace

std::unique_ptr<Sink> make_npz(const SinkWish& wish) {
  return make_npz_sink(wish.path, wish.layout, wish.options.npz_compression, wish.executor);
}

void check_npz(const std::filesystem::path& path, const Sidecar& sidecar, std::vector<std::string>& problems) {
  const std::string name = path.filename().string();
  const std::uint64_t rows = sidecar.rows, columns = sidecar.features.size();
  std::vector<std::pair<std::string, std::vector<std::uint64_t>>> expected{
      {"xyz", {rows, 3}}, {"origin", {3}}, {"features", {rows, columns}}, {"feature_names", {columns}}, {"classification", {rows}}};
  const std::vector<NpzArray> arrays = read_npz_headers(path);
  const auto find = [&](const std::string& array) {
    return std::find_if(arrays.begin(), arrays.end(), [&](const NpzArray& candidate) { return candidate.name == array; });
  };
  if (find("valid") != arrays.end()) expected.push_back({"valid", {rows}});
  if (sidecar.ground_truth.labelled)
    for (const char* array : {"labels", "label_source", "label_object"}) expected.push_back({array, {rows}});
  for (const auto& [array, shape] : expected) {
    const auto found = find(array);
    if (found == arrays.end())
      problems.push_back(name + ": array '" + array + "' is missing");
    else if (found->header.shape != shape)
      problems.push_back(differs(name + ": shape of '" + array + "'", shape_text(found->header.shape), shape_text(shape)));
  }
  if (!sidecar.ground_truth.labelled) return;
  const auto ids = find("object_ids");
  if (ids == arrays.end()) {
    problems.push_back(name + ": array 'object_ids' is missing");
    return;
  }
  const std::vector<std::uint64_t>& shape = ids->header.shape;
  for (const NpzArray& array : arrays)
    if (array.name.starts_with("object_") && (array.header.shape != shape || shape.size() != 1))
      problems.push_back(name + ": shape of '" + array.name + "' is " + shape_text(array.header.shape) + ", that of 'object_ids' " +
                         shape_text(shape));
}

}  // namespace tuile::write

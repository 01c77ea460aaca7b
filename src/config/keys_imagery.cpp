// The keys of imagery: where colours come from.

#include "config/key_types.hpp"
#include "config/service_keys.hpp"

namespace tuile::config {

namespace {

const std::vector<std::pair<std::string, ImagerySource>> words{
    {"tile", ImagerySource::tile}, {"none", ImagerySource::none}, {"wms", ImagerySource::wms}};

Key source_key() {
  Key key =
      make_key({"imagery.source", "", true,
                "Where colours come from: `tile` takes those of the points, `none` takes none (colour columns are missing), `wms` asks a "
                "service, a list names GeoTIFFs: one with `irc` in its name gives near infrared with its first band, others red, green and "
                "blue, and near infrared with a fourth. Colours from images are 16-bit whatever `features.color_depth` says of the files.",
                "Images of the tile are held while it is loaded: 4 bytes or so a pixel."},
               "tile, none, wms or a list of paths", "[ortho_rgb.tif, ortho_irc.tif]");
  for (const auto& [word, source] : words) key.words.emplace_back(word);
  key.read = [](Config& config, const Cell& cell) {
    config.imagery.files.clear();
    for (const auto& [word, source] : words) {
      if (is_word(cell.value, word)) {
        config.imagery.source = source;
        return;
      }
    }
    if (cell.value.kind == Value::Kind::scalar && !cell.source.command_line)
      refuse(cell, "a single file is a list too: [" + cell.value.text.substr(0, 60) + "]");
    for (const Value& item : read_list(cell))
      config.imagery.files.push_back(read_text(cell.part(item, index_suffix(config.imagery.files.size()), "the path of a GeoTIFF")));
    if (config.imagery.files.empty()) refuse(cell, "the list is empty");
    config.imagery.source = ImagerySource::files;
  };
  key.show = [](const Config& config) -> std::string {
    for (const auto& [word, source] : words) {
      if (config.imagery.source == source) return word;
    }
    return show_list(config.imagery.files, format_text);
  };
  return key;
}

}  // namespace

std::vector<Key> imagery_keys() {
  const auto service = [](auto& c) -> auto& { return c.imagery.wms.service; };
  std::vector<Key> keys{source_key(), url_key(
                                          "imagery.wms", "the WMS", [](auto& c) -> auto& { return c.imagery.wms.url; })};
  keys.push_back(text_key(
      {"imagery.wms.rgb_layer", "", true, "Its layer of red, green and blue.", ""}, "HR.ORTHOIMAGERY.ORTHOPHOTOS",
      [](auto& c) -> auto& { return c.imagery.wms.rgb_layer; }));
  keys.push_back(text_key(
      {"imagery.wms.irc_layer", "", true, "Its layer whose first band is near infrared.", ""}, "ORTHOIMAGERY.ORTHOPHOTOS.IRC",
      [](auto& c) -> auto& { return c.imagery.wms.irc_layer; }));
  keys.push_back(real_key(
      {"imagery.wms.resolution", "m", true, "Side of a pixel.", "Half the side: four times the bytes."}, Lower::closed, 0.01, 100, "0.2",
      [](auto& c) -> auto& { return c.imagery.wms.resolution; }));
  keys.push_back(integer_key(
      {"imagery.wms.max_pixels", "pixels", false, "Longest side of one request; larger boxes are split.", ""}, 16, 20000, "5000",
      [](auto& c) -> auto& { return c.imagery.wms.max_pixels; }));
  for (Key& key : service_keys("imagery.wms", service)) keys.push_back(std::move(key));
  return keys;
}

}  // namespace tuile::config

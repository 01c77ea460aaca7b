#include "las/copc.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "las/byte_reader.hpp"
#include "las/vlr.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

constexpr std::size_t entry_size = 32;
constexpr std::size_t info_size = 160;
constexpr const char* remedy = "; the file is damaged, copy it again or read it without its index (no bounding box)";

struct Page {
  std::uint64_t offset, size;
};

void check_page(const Page& page, std::uint64_t file_size) {
  if (page.size % entry_size != 0 || page.offset > file_size || page.size > file_size - page.offset) {
    throw CorruptData("a COPC hierarchy page of " + std::to_string(page.size) + " bytes at offset " + std::to_string(page.offset) +
                      " does not fit the file of " + std::to_string(file_size) + " bytes or is not made of 32-byte entries" + remedy);
  }
}

std::string name(const CopcNode& node) {
  return std::to_string(node.depth) + "-" + std::to_string(node.x) + "-" + std::to_string(node.y) + "-" + std::to_string(node.z);
}

/// The pages of a file. They are the data of an EVLR, which came with the file's info; what is not there is read.
class Pages {
 public:
  Pages(const source::ByteSource& source, const FileInfo& info) : source_(source) {
    std::uint64_t at = info.header.evlr_offset;
    for (const Vlr& record : info.evlrs) {
      at += evlr_header_size;
      known_.push_back({at, record.data});
      at += record.data.size();
    }
  }

  std::span<const std::byte> bytes(const Page& page) {
    for (const auto& [begin, data] : known_) {
      const std::uint64_t into = page.offset - begin;
      if (page.offset >= begin && into <= data.size() && page.size <= data.size() - into) return data.subspan(into, page.size);
    }
    read_.clear();
    source::append_bytes(source_, page.offset, page.size, read_);
    return read_;
  }

 private:
  const source::ByteSource& source_;
  std::vector<std::pair<std::uint64_t, std::span<const std::byte>>> known_;
  std::vector<std::byte> read_;  ///< the page that was read last
};

/// Parses one page: nodes go to `nodes`, sub-pages to `pages`.
void parse_page(std::span<const std::byte> bytes, std::vector<CopcNode>& nodes, std::vector<Page>& pages) {
  ByteReader in(bytes, "a COPC hierarchy page");
  while (in.remaining() > 0) {
    CopcNode node;
    node.depth = in.get<std::int32_t>();
    node.x = in.get<std::int32_t>();
    node.y = in.get<std::int32_t>();
    node.z = in.get<std::int32_t>();
    node.offset = in.get<std::uint64_t>();
    const auto size = in.get<std::int32_t>();
    const auto points = in.get<std::int32_t>();
    if (points == 0) continue;
    const std::int64_t side = node.depth >= 0 && node.depth < 31 ? std::int64_t{1} << node.depth : 0;
    if (points < -1 || size < 0 || node.x < 0 || node.x >= side || node.y < 0 || node.y >= side || node.z < 0 || node.z >= side) {
      throw CorruptData("the COPC hierarchy has a node " + name(node) + " of " + std::to_string(points) + " points and " +
                        std::to_string(size) + " bytes" + remedy);
    }
    node.size = static_cast<std::uint32_t>(size);
    if (points == -1) {
      pages.push_back({node.offset, node.size});
    } else {
      node.points = static_cast<std::uint32_t>(points);
      nodes.push_back(node);
    }
  }
}

}  // namespace

Bounds CopcNode::bounds(const CopcInfo& info) const noexcept {
  const double side = std::ldexp(2.0 * info.halfsize, -depth);
  const double min_x = info.center[0] - info.halfsize + side * x;
  const double min_y = info.center[1] - info.halfsize + side * y;
  return {min_x, min_y, min_x + side, min_y + side};
}

std::optional<CopcInfo> parse_copc_info(const Header& header, const std::vector<Vlr>& vlrs, std::uint64_t file_size,
                                        std::vector<std::string>& warnings) {
  // COPC 1.0: the info record is the first one, straight behind a 375-byte header.
  if (vlrs.empty() || vlrs[0].user_id != "copc" || vlrs[0].record_id != 1) return std::nullopt;
  const auto ignore = [&](const char* why) {
    warnings.push_back(std::string("the COPC info record is ignored and the file read as plain LAZ: ") + why);
    return std::nullopt;
  };
  if (!header.compressed || header.point_format < 6 || header.header_size != 375)
    return ignore("COPC is LAZ 1.4 with point format 6, 7 or 8");
  if (vlrs[0].data.size() < info_size) return ignore("it is shorter than 160 bytes");
  ByteReader in(vlrs[0].data, "the COPC info record");
  CopcInfo info;
  for (double& value : info.center) value = in.get<double>();
  info.halfsize = in.get<double>();
  info.spacing = in.get<double>();
  info.root_offset = in.get<std::uint64_t>();
  info.root_size = in.get<std::uint64_t>();
  const bool finite = std::all_of(info.center.begin(), info.center.end(), [](double v) { return std::isfinite(v); });
  if (!finite || !std::isfinite(info.halfsize) || info.halfsize < 0) return ignore("its cube is not finite");
  if (info.root_offset > file_size || info.root_size > file_size - info.root_offset || info.root_size % entry_size != 0) {
    return ignore("its root page lies outside the file");
  }
  return info;
}

std::vector<CopcNode> read_copc_nodes(const source::ByteSource& source, const FileInfo& info) {
  if (!info.copc) throw InvalidArgument("the file is not COPC; read it whole");
  std::vector<CopcNode> nodes;
  std::vector<Page> pages{{info.copc->root_offset, info.copc->root_size}};
  std::set<std::uint64_t> visited;
  std::uint64_t read = 0;
  Pages hierarchy(source, info);
  while (!pages.empty()) {
    const Page page = pages.back();
    pages.pop_back();
    if (page.size == 0) continue;
    check_page(page, source.size());
    if (!visited.insert(page.offset).second) {
      throw CorruptData("the COPC hierarchy refers to the page at offset " + std::to_string(page.offset) + " twice" + remedy);
    }
    read += page.size;
    if (read > source.size()) throw CorruptData(std::string("the pages of the COPC hierarchy overlap") + remedy);
    parse_page(hierarchy.bytes(page), nodes, pages);
    constexpr std::size_t most_pages = 100'000;  // each may cost a request
    if (nodes.size() > info.header.point_count || visited.size() > most_pages) {
      throw CorruptData("the COPC hierarchy has " + std::to_string(nodes.size()) + " nodes in " + std::to_string(visited.size()) +
                        " pages or more, for " + std::to_string(info.header.point_count) + " points" + remedy);
    }
  }
  std::sort(nodes.begin(), nodes.end(), [](const CopcNode& a, const CopcNode& b) { return a.offset < b.offset; });
  std::uint64_t end = std::uint64_t{info.header.point_data_offset} + sizeof(std::uint64_t);
  std::uint64_t count = 0;
  for (CopcNode& node : nodes) {
    if (node.offset < end || node.offset > source.size() || node.size > source.size() - node.offset) {
      throw CorruptData("the chunk of COPC node " + name(node) + " (" + std::to_string(node.size) + " bytes at offset " +
                        std::to_string(node.offset) + ") overlaps another or lies outside the file" + remedy);
    }
    end = node.offset + node.size;
    node.first_point = count;
    count += node.points;
  }
  if (count != info.header.point_count) {
    throw CorruptData("the nodes of the COPC hierarchy hold " + std::to_string(count) + " points but the header says " +
                      std::to_string(info.header.point_count) + remedy);
  }
  return nodes;
}

}  // namespace tuile::las

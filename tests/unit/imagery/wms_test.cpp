// A WMS of the tests: it draws a known gradient for the box asked for, and does what services do wrong.
#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <mutex>
#include <sstream>
#include <stop_token>
#include <thread>

#include "images.hpp"
#include "support/fault_server.hpp"
#include "support/temporary_folder.hpp"

namespace tuile::test {
namespace {

using imagery::Colours;

constexpr double resolution = 0.25;
constexpr double x0 = 792000, y0 = 6271000;  // where the gradient begins

/// A GetMap as the server understands it.
struct Map {
  double west = 0, south = 0, east = 0, north = 0;
  std::uint32_t width = 0, height = 0;
  int epsg = 0;
  bool infrared = false;

  explicit Map(const ServerRequest& request, bool north_first = false) {
    const auto& query = request.query;
    std::istringstream box(query.at("bbox"));
    char comma = 0;
    box >> west >> comma >> south >> comma >> east >> comma >> north;
    if (north_first) {
      std::swap(west, south);
      std::swap(east, north);
    }
    width = static_cast<std::uint32_t>(std::stoul(query.at("width")));
    height = static_cast<std::uint32_t>(std::stoul(query.at("height")));
    epsg = std::stoi(query.at("crs").substr(5));
    infrared = query.at("layers").find("IRC") != std::string::npos;
  }
};

/// Grows by one step per pixel eastwards (red), southwards (green), both (infrared).
double gradient(bool infrared, std::uint32_t band, double x, double y, double west, double north) {
  const double east = (x - west) / resolution, south = (north - y) / resolution;
  if (infrared) return band == 0 ? (east + south) / 2 : 7;
  return band == 0 ? east : band == 1 ? south : 255 - east;
}

class WmsTest : public testing::Test {
 protected:
  /// The right answer.
  ServerAnswer draw(const Map& map, double left = x0, double top = y0 + 60) {
    const double pixel = (map.east - map.west) / map.width;
    std::vector<std::uint8_t> values;
    for (std::uint32_t row = 0; row < map.height; ++row) {
      for (std::uint32_t column = 0; column < map.width; ++column) {
        for (std::uint32_t band = 0; band < 3; ++band) {
          const double value = gradient(map.infrared, band, map.west + (column + 0.5) * pixel, map.north - (row + 0.5) * pixel, left, top);
          values.push_back(static_cast<std::uint8_t>(std::clamp(std::round(value), 0.0, 255.0)));
        }
      }
    }
    const std::string path = folder_ / ("answer-" + std::to_string(counter_.fetch_add(1)) + ".tif");
    imagery::write_geotiff(path, values, map.width, map.height, 3, map.west, map.north, pixel, map.epsg);
    return tiff(path);
  }
  ServerAnswer tiff(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    ServerAnswer answer;
    answer.content_type = "image/geotiff";
    answer.body = {std::istreambuf_iterator<char>(file), {}};
    return answer;
  }
  ServerAnswer picture(TestImage image) {
    return tiff(image.write(folder_ / ("picture-" + std::to_string(counter_.fetch_add(1)) + ".tif")));
  }

  /// A source that asks the server.
  std::unique_ptr<imagery::ImagerySource> source(const FaultServer& server, int max_pixels = 5000, int retries = 2,
                                                 const std::string& target = "/wms") {
    imagery::WmsOptions options;
    options.url = server.url(target);
    options.resolution = resolution;
    options.max_pixels = max_pixels;
    source::HttpOptions http;
    http.requests_per_second = 0;
    http.retries = retries;
    http.retry_delay = 0.01;
    http.breaker_failures = 1000;
    http.timeout = 20;
    client_ = std::make_shared<source::HttpClient>(http);
    return imagery::make_wms(options, client_);
  }

  /// Fetches one image of the box; expects a failure without pixels and returns the reason.
  std::string failure(const FaultServer::Handler& handler, ErrorKind kind, std::uint64_t requests) {
    FaultServer server(handler);
    auto wms = source(server);
    testing::internal::CaptureStderr();
    const Colours colours = wms->fetch(box_, 2154, rgb_field, {});
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(colours.rgb_outcome, Outcome::failed);
    EXPECT_EQ(colours.nir_outcome, Outcome::not_requested);
    EXPECT_EQ(colours.rgb.columns, 0U);
    EXPECT_EQ(colours.rgb.bytes(), 0U) << "never grey";
    EXPECT_EQ(colours.kind, kind) << colours.reason;
    EXPECT_EQ(server.request_count(), requests) << colours.reason;
    return colours.reason;
  }

  const Bounds box_{x0 + 2, y0 + 3, x0 + 52, y0 + 43};
  const TemporaryFolder folder_;
  std::atomic<int> counter_{0};
  std::shared_ptr<source::HttpClient> client_;
};

/// Points all over a box, its borders too, get the gradient.
void expect_gradient(const Colours& colours, const Bounds& box, double left = x0, double top = y0 + 60) {
  ASSERT_EQ(colours.rgb_outcome, Outcome::data) << colours.reason;
  ASSERT_EQ(colours.nir_outcome, Outcome::data) << colours.reason;
  std::vector<std::pair<double, double>> places;
  for (int i = 0; i < 61 * 61; ++i) places.emplace_back(box.min_x + i % 61 / 60.0 * box.width(), box.min_y + i / 61 / 60.0 * box.height());
  PointBlock points = points_at(places, 0.001);
  Executor executor(1);
  imagery::colourise(points, colours, both_fields, executor);
  EXPECT_TRUE(points.colour_known.empty());
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double x = static_cast<double>(points.grid.origin[0] + points.units[i].x) * 0.001;
    const double y = static_cast<double>(points.grid.origin[1] + points.units[i].y) * 0.001;
    // The gradient is 0.5 at the centre of its first pixel, rounded to 1 there: half a step more everywhere.
    ASSERT_NEAR(points.red[i], 257 * (gradient(false, 0, x, y, left, top) + 0.5), 1) << x << " " << y;
    ASSERT_NEAR(points.green[i], 257 * (gradient(false, 1, x, y, left, top) + 0.5), 1) << x << " " << y;
    ASSERT_NEAR(points.nir[i], 257 * gradient(true, 0, x, y, left, top), 129) << x << " " << y;
  }
}

TEST_F(WmsTest, ColoursAreTheServersAndTheRequestIsTheStandards) {
  FaultServer server([&](const ServerRequest& request) { return draw(Map(request)); });
  auto wms = source(server, 5000, 2, "/wms?map=a%20b");
  EXPECT_EQ(wms->name(), "wms");
  EXPECT_NE(wms->identity().find("HR.ORTHOIMAGERY.ORTHOPHOTOS"), std::string::npos);
  const Bounds odd{x0 + 2.07, y0 + 3.11, x0 + 51.93, y0 + 42.9};
  expect_gradient(wms->fetch(odd, 2154, both_fields, {}), odd);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 2U);
  const std::map<std::string, std::string> expected{{"map", "a b"},
                                                    {"service", "WMS"},
                                                    {"version", "1.3.0"},
                                                    {"request", "GetMap"},
                                                    {"layers", "HR.ORTHOIMAGERY.ORTHOPHOTOS"},
                                                    {"styles", ""},
                                                    {"crs", "EPSG:2154"},
                                                    {"width", "202"},
                                                    {"height", "162"},
                                                    {"bbox", "792001.75,6271002.75,792052.25,6271043.25"},
                                                    {"format", "image/geotiff"}};
  auto query = requests[0].query;
  EXPECT_EQ(query, expected) << "the box is a whole number of pixels, one more than needed on each side";
  EXPECT_EQ(requests[1].query.at("layers"), "ORTHOIMAGERY.ORTHOPHOTOS.IRC");
}

TEST_F(WmsTest, OnlyWhatIsWantedIsAskedFor) {
  FaultServer server([&](const ServerRequest& request) { return draw(Map(request)); });
  const Colours colours = source(server)->fetch(box_, 2154, nir_field, {});
  EXPECT_EQ(colours.nir_outcome, Outcome::data) << colours.reason;
  EXPECT_EQ(colours.rgb_outcome, Outcome::not_requested);
  EXPECT_EQ(colours.rgb.bytes(), 0U);
  EXPECT_EQ(server.request_count(), 1U);
}

TEST_F(WmsTest, LargeBoxesAreSplit) {
  FaultServer server([&](const ServerRequest& request) { return draw(Map(request)); });
  expect_gradient(source(server, 77)->fetch(box_, 2154, both_fields, {}), box_);  // 202 × 162 pixels: 3 × 3 parts
  EXPECT_EQ(server.request_count(), 18U);
  for (const ServerRequest& request : server.requests()) {
    const Map map(request);
    EXPECT_LE(map.width, 77U);
    EXPECT_LE(map.height, 77U);
    EXPECT_NEAR((map.east - map.west) / map.width, resolution, 1e-9);
    EXPECT_NEAR((map.north - map.south) / map.height, resolution, 1e-9);
  }
}

TEST_F(WmsTest, ATileOfJustTheLimitIsOneRequest) {
  FaultServer server([&](const ServerRequest& request) { return draw(Map(request)); });
  const Colours colours = source(server, 200)->fetch(box_, 2154, rgb_field, {});  // 50 m × 40 m: 200 × 160 pixels
  ASSERT_EQ(colours.rgb_outcome, Outcome::data) << colours.reason;
  EXPECT_EQ(colours.rgb.columns, 200U);
  EXPECT_EQ(colours.rgb.rows, 162U);
  EXPECT_EQ(server.request_count(), 1U);
  PointBlock border = points_at({{box_.min_x, box_.min_y + 5}, {box_.max_x, box_.max_y - 5}, {box_.min_x + 20, box_.max_y}});
  Executor executor(1);
  imagery::colourise(border, colours, rgb_field, executor);
  EXPECT_TRUE(border.colour_known.empty()) << "points on the border are coloured all the same";
}

TEST_F(WmsTest, AxesFollowTheCrs) {
  // EPSG:3035 is north, east.
  const double left = 4000000, top = 2900060;
  FaultServer server([&](const ServerRequest& request) { return draw(Map(request, true), left, top); });
  const Bounds box{left + 2, top - 50, left + 40, top - 10};
  expect_gradient(source(server)->fetch(box, 3035, both_fields, {}), box, left, top);
  ASSERT_EQ(server.request_count(), 2U);
  EXPECT_EQ(server.requests()[0].query.at("bbox"), "2900009.75,4000001.75,2900050.25,4000040.25");
}

TEST_F(WmsTest, PlainTiffsLieWhereTheyWereAskedFor) {
  FaultServer server([&](const ServerRequest& request) {
    const Map map(request);
    TestImage image;
    image.columns = map.width;
    image.rows = map.height;
    image.epsg = 0;
    image.transform = {};
    image.value = [map](std::uint32_t column, std::uint32_t row, std::uint32_t band) {
      return std::round(
          gradient(map.infrared, band, map.west + (column + 0.5) * resolution, map.north - (row + 0.5) * resolution, x0, y0 + 60));
    };
    return picture(image);
  });
  expect_gradient(source(server)->fetch(box_, 2154, both_fields, {}), box_);
}

TEST_F(WmsTest, WhiteImagesAreRefused) {
  const auto white = [&](std::optional<double> no_data) {
    return [this, no_data](const ServerRequest& request) {
      TestImage image;
      image.columns = Map(request).width;
      image.rows = Map(request).height;
      image.transform = {Map(request).west, resolution, 0, Map(request).north, 0, -resolution};
      image.no_data = no_data;
      image.value = [](std::uint32_t, std::uint32_t, std::uint32_t) { return 255; };
      return picture(image);
    };
  };
  EXPECT_NE(failure(white(std::nullopt), ErrorKind::io, 3).find("white"), std::string::npos);
  EXPECT_NE(failure(white(255.0), ErrorKind::io, 3).find("white"), std::string::npos);
}

TEST_F(WmsTest, AlmostWhiteIsAnImage) {
  FaultServer server([&](const ServerRequest& request) {
    TestImage image;
    image.columns = Map(request).width;
    image.rows = Map(request).height;
    image.transform = {Map(request).west, resolution, 0, Map(request).north, 0, -resolution};
    image.value = [&image](std::uint32_t column, std::uint32_t row, std::uint32_t band) {
      return column + 1 == image.columns && row + 1 == image.rows && band == 2 ? 254 : 255;
    };
    return picture(image);
  });
  EXPECT_EQ(source(server)->fetch(box_, 2154, rgb_field, {}).rgb_outcome, Outcome::data);
}

TEST_F(WmsTest, ExceptionsWithStatus200AreQuoted) {
  const auto says = [](const std::string& type, const std::string& text) {
    return [=](const ServerRequest&) {
      ServerAnswer answer;
      answer.content_type = type;
      answer.body = text;
      return answer;
    };
  };
  const std::string busy =
      failure(says("text/xml",
                   "<?xml version='1.0'?><ServiceExceptionReport version=\"1.3.0\"><ServiceException>\n Server is busy "
                   "</ServiceException></ServiceExceptionReport>"),
              ErrorKind::io, 3);
  EXPECT_NE(busy.find("\"Server is busy\""), std::string::npos) << busy;
  const std::string layer = failure(says("text/xml",
                                         "<ServiceExceptionReport><ServiceException code=\"LayerNotDefined\">Layer X unknown."
                                         "</ServiceException></ServiceExceptionReport>"),
                                    ErrorKind::unsupported, 2);
  EXPECT_NE(layer.find("Layer X unknown."), std::string::npos) << layer;
  EXPECT_NE(layer.find("imagery.wms"), std::string::npos) << layer;
  EXPECT_NE(failure(says("application/json", "{\"exceptions\":[{\"text\":\"no\"}]}"), ErrorKind::io, 3).find("exceptions"),
            std::string::npos);
  EXPECT_NE(failure(says("text/html", "<html><body>Sorry, maintenance</body></html>"), ErrorKind::io, 3).find("Sorry, maintenance"),
            std::string::npos);
  failure(says("image/geotiff", ""), ErrorKind::io, 3);
  const std::string odd = failure(says("image/geotiff", std::string("\0\1\2", 3)), ErrorKind::io, 3);
  EXPECT_NE(odd.find("no text"), std::string::npos) << odd;
}

TEST_F(WmsTest, WrongImagesAreRefused) {
  const std::string size = failure(
      [&](const ServerRequest& request) {
        Map map(request);
        map.width /= 2;
        map.height /= 2;
        return draw(map);
      },
      ErrorKind::unsupported, 1);
  EXPECT_NE(size.find("202 × 162"), std::string::npos) << size;
  EXPECT_NE(size.find("101 × 81"), std::string::npos) << size;
  const std::string place = failure(
      [&](const ServerRequest& request) {
        Map map(request);
        map.west += 10;
        map.east += 10;
        return draw(map);
      },
      ErrorKind::unsupported, 1);
  EXPECT_NE(place.find("792011.75"), std::string::npos) << place;
  const std::string grey = failure(
      [&](const ServerRequest& request) {
        TestImage image;
        image.columns = Map(request).width;
        image.rows = Map(request).height;
        image.bands = 1;
        image.transform = {};
        image.value = [](std::uint32_t, std::uint32_t, std::uint32_t) { return 5; };
        return picture(image);
      },
      ErrorKind::unsupported, 1);
  EXPECT_NE(grey.find("1 band"), std::string::npos) << grey;
  failure(
      [&](const ServerRequest& request) {
        ServerAnswer answer = draw(Map(request));
        answer.body.resize(answer.body.size() / 2);
        return answer;
      },
      ErrorKind::io, 3);
}

TEST_F(WmsTest, AFewErrorsAreSurvived) {
  for (const Fault fault : {Fault::error_500, Fault::truncated, Fault::service_exception, Fault::html_page, Fault::empty, Fault::reset}) {
    FaultServer server([&](const ServerRequest& request) { return draw(Map(request)); },
                       [fault](const ServerRequest& request) { return request.number == 0 || request.number == 2 ? fault : Fault::none; });
    expect_gradient(source(server)->fetch(box_, 2154, both_fields, {}), box_);
    EXPECT_EQ(server.request_count(), 4U) << to_string(fault);
  }
}

TEST_F(WmsTest, OneImageCanFailWithoutTheOther) {
  FaultServer server([&](const ServerRequest& request) { return draw(Map(request)); },
                     [](const ServerRequest& request) { return Map(request).infrared ? Fault::not_found : Fault::none; });
  const Colours colours = source(server)->fetch(box_, 2154, both_fields, {});
  EXPECT_EQ(colours.rgb_outcome, Outcome::data);
  EXPECT_EQ(colours.nir_outcome, Outcome::failed);
  EXPECT_EQ(colours.nir.bytes(), 0U);
  EXPECT_EQ(colours.kind, ErrorKind::not_found);
  EXPECT_NE(colours.reason.find("NIR"), std::string::npos) << colours.reason;
}

TEST_F(WmsTest, WhatCannotBeAskedForFails) {
  FaultServer server([&](const ServerRequest& request) { return draw(Map(request)); });
  auto wms = source(server);
  const Colours no_crs = wms->fetch(box_, 0, rgb_field, {});
  EXPECT_EQ(no_crs.rgb_outcome, Outcome::failed);
  EXPECT_NE(no_crs.reason.find("crs:"), std::string::npos) << no_crs.reason;
  EXPECT_EQ(wms->fetch({}, 2154, rgb_field, {}).rgb_outcome, Outcome::failed);
  EXPECT_EQ(wms->fetch({0, 0, 1e5, 10}, 2154, rgb_field, {}).rgb_outcome, Outcome::failed);
  EXPECT_EQ(server.request_count(), 0U);
  EXPECT_THROW(imagery::make_wms({.url = "ftp://x"}, client_), InvalidArgument);
  EXPECT_THROW(imagery::make_wms({.resolution = 0}, client_), InvalidArgument);
  EXPECT_THROW(imagery::make_wms({.max_pixels = 0}, client_), InvalidArgument);
  EXPECT_THROW(imagery::make_wms({}, nullptr), InvalidArgument);
}

TEST_F(WmsTest, AStopEndsTheFetch) {
  FaultServer server([&](const ServerRequest& request) { return draw(Map(request)); }, [](const ServerRequest&) { return Fault::silence; });
  auto wms = source(server);
  std::stop_source stop;
  const std::jthread stopper([&] {
    while (server.request_count() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    stop.request_stop();
  });
  EXPECT_THROW(wms->fetch(box_, 2154, rgb_field, stop.get_token()), Cancelled);
}

}  // namespace
}  // namespace tuile::test

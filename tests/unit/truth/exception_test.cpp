#include <gtest/gtest.h>

#include "truth/exception_report.hpp"
#include "truth/wfs.hpp"
#include "truth/wfs_xml.hpp"

namespace tuile::test {
namespace {

using truth::exception_text;

TEST(ExceptionText, OwsReports) {
  EXPECT_EQ(exception_text(R"(<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment -->
<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows/1.1" version="2.0.0">
  <ows:Exception exceptionCode="InvalidParameterValue" locator="typeName">
    <ows:ExceptionText>Feature type BDTOPO_V3:batimant unknown</ows:ExceptionText>
  </ows:Exception>
</ows:ExceptionReport>)"),
            "InvalidParameterValue (typeName): Feature type BDTOPO_V3:batimant unknown");
  EXPECT_EQ(
      exception_text(R"(<ExceptionReport><Exception exceptionCode='NoApplicableCode'><ExceptionText>one</ExceptionText><ExceptionText>two)"
                     R"(</ExceptionText></Exception><Exception exceptionCode="Other"><ExceptionText>three</ExceptionText></Exception>)"
                     "</ExceptionReport>"),
      "NoApplicableCode: one two three");
  EXPECT_EQ(exception_text("<ows:ExceptionReport><ows:Exception exceptionCode=\"X\"/></ows:ExceptionReport>"), "X");
  EXPECT_EQ(exception_text("<ows:ExceptionReport/>"), "an exception without a text");
}

TEST(ExceptionText, ServiceReportsCdataAndEntities) {
  EXPECT_EQ(exception_text("\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<!DOCTYPE ServiceExceptionReport SYSTEM \"x.dtd\" [<!ENTITY a \"b\">]>"
                           "<ServiceExceptionReport version=\"1.1.1\"><ServiceException code=\"LayerNotDefined\"><![CDATA[a <b> & \n c]]> d"
                           "</ServiceException></ServiceExceptionReport>"),
            "LayerNotDefined: a <b> & c d");
  EXPECT_EQ(exception_text(
                "<ServiceExceptionReport><ServiceException>&lt;a&gt; &amp;amp; &quot;b&apos; &#233;&#xE9; &unknown; &</ServiceException>"
                "</ServiceExceptionReport>"),
            "<a> &amp; \"b' éé &unknown; &");
}

TEST(ExceptionText, Json) {
  EXPECT_EQ(exception_text(
                R"({"version":"2.0.0","exceptions":[{"code":"NoApplicableCode","locator":"noLocator","text":"Trop de requ\u00eates"}]})"),
            "NoApplicableCode (noLocator): Trop de requêtes");
  EXPECT_EQ(exception_text(R"( {"exceptions":[{"text":"a"},{"code":"B","text":"b"},7]} )"), "a b");
  EXPECT_EQ(exception_text(R"({"exception":{"code":"X","locator":null,"text":["no text"]}})"), "X");
}

TEST(ExceptionText, DamagedReportsTellWhatTheyCan) {
  EXPECT_EQ(exception_text("<ows:ExceptionReport><ows:Exception exceptionCode=\"X\"><ows:ExceptionText>the data"), "X: the data");
  EXPECT_EQ(exception_text(R"({"exceptions":[{"code":"X","text":"the data"},{"te)"), "X: the data");
  EXPECT_EQ(exception_text("<ServiceExceptionReport><ServiceException>caf\xE9 \x01</ServiceException>"), "caf\xEF\xBF\xBD");
}

TEST(ExceptionText, EverythingElseIsNone) {
  for (const char* text : {"", " ", "{}", "[]", "null", "<html><body>ExceptionReport</body></html>",
                           R"({"type":"FeatureCollection","features":[]})", "ExceptionReport", "<", "<!--", "<a",
                           "<wfs:FeatureCollection><ows:ExceptionReport/></wfs:FeatureCollection>", R"({"exceptions":)", "{"}) {
    EXPECT_EQ(exception_text(text), "") << text;
  }
}

TEST(ExceptionText, LongOnesAreCutBetweenCharacters) {
  std::string text = "<ServiceExceptionReport><ServiceException>a";
  for (int i = 0; i < 5000; ++i) text += "é";
  const std::string cut = exception_text(text + "</ServiceException></ServiceExceptionReport>");
  EXPECT_LT(cut.size(), 1100u);
  EXPECT_EQ(cut.substr(0, 3), "aé");
  EXPECT_EQ(cut.find("\xEF\xBF\xBD"), std::string::npos);
}

TEST(ExceptionReport, SortsOutWhatCanPass) {
  const auto report = [](const char* code, const char* locator, const char* text) { return truth::ExceptionReport{code, locator, text}; };
  EXPECT_TRUE(report("InvalidParameterValue", "typeName", "Feature type a unknown").is_unknown_layer());
  EXPECT_TRUE(report("InvalidParameterValue", "typename", "msWFSGetFeature(): WFS server error. TYPENAME 'a' doesn't exist in this server.")
                  .is_unknown_layer());
  EXPECT_TRUE(report("InvalidParameterValue", "namespace", "Unknown namespace [A]").is_unknown_layer());
  EXPECT_FALSE(report("NoApplicableCode", "", "the feature type could not be read: its relation does not exist").is_unknown_layer());
  EXPECT_TRUE(report("InvalidParameterValue", "", "Illegal property name: cleabs for feature type a").is_unsortable());
  EXPECT_TRUE(report("NoApplicableCode", "", "Cannot do natural order without a primary key").is_unsortable());
  EXPECT_FALSE(report("InvalidParameterValue", "typeName", "Feature type a unknown").is_unsortable());
  EXPECT_TRUE(report("OperationNotSupported", "", "").is_final());
  EXPECT_FALSE(report("NoApplicableCode", "", "server error").is_final());
  EXPECT_FALSE(report("", "", "").is_final());
}

TEST(XmlScanner, PassesOverWhatItDoesNotNeed) {
  truth::XmlScanner scanner("<?xml?><!DOCTYPE a [<!ENTITY b \"c>\">]><n:a x='1' n:y=\"a > b\"><!-- <b/> --><b/>t</n:a>");
  using Token = truth::XmlScanner::Token;
  EXPECT_EQ(scanner.next(), Token::open);
  EXPECT_EQ(scanner.name(), "a");
  EXPECT_EQ(scanner.attribute("x"), "1");
  EXPECT_EQ(scanner.attribute("y"), "a > b");
  EXPECT_EQ(scanner.attribute("z"), "");
  EXPECT_EQ(scanner.next(), Token::open);
  EXPECT_EQ(scanner.name(), "b");
  EXPECT_EQ(scanner.next(), Token::close);
  EXPECT_EQ(scanner.next(), Token::text);
  EXPECT_EQ(scanner.text(), "t");
  EXPECT_EQ(scanner.next(), Token::close);
  EXPECT_EQ(scanner.name(), "a");
  EXPECT_EQ(scanner.next(), Token::end);
}

}  // namespace
}  // namespace tuile::test

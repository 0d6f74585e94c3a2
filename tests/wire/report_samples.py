"""A small report of each format that tells tests: one passed, one failed, one was left out."""

from pipelinekit.model.testreport import ReportFormat

CASES = {
    ReportFormat.JUNIT_XML: """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" tests="3" failures="1" skipped="1">
  <testcase classname="tests.test_cart" name="test_total" time="1.5"/>
  <testsuite name="inner"><testcase classname="tests.test_cart" name="test_tax" time="0.5">
    <failure message="assert 1 == 2">trace</failure></testcase></testsuite>
  <testcase classname="tests.test_cart" name="test_later" time="0"><skipped/></testcase>
</testsuite></testsuites>""",
    ReportFormat.NUNIT_XML: """<test-results name="Cart.dll" total="2" failures="1" not-run="1">
  <test-suite type="Assembly" name="Cart.dll"><results>
    <test-case name="tests.test_cart.test_total" executed="True" result="Success" time="1.500"/>
    <test-case name="tests.test_cart.test_tax" executed="True" result="Failure" time="0.500">
      <failure><message><![CDATA[assert 1 == 2]]></message></failure></test-case>
    <test-case name="tests.test_cart.test_later" executed="False" result="Ignored"/>
  </results></test-suite></test-results>""",
    ReportFormat.NUNIT3_XML: """<test-run id="2" testcasecount="3" result="Failed">
  <test-suite type="TestFixture">
    <test-case name="total" fullname="tests.test_cart.test_total" result="Passed" duration="1.5"/>
    <test-case name="tax" fullname="tests.test_cart.test_tax" result="Failed" duration="0.5">
      <failure><message>assert 1 == 2</message></failure></test-case>
    <test-case name="later" fullname="tests.test_cart.test_later" result="Skipped"/>
  </test-suite></test-run>""",
    ReportFormat.TESTNG_XML: """<testng-results skipped="1" failed="1" passed="1">
  <suite name="all"><test name="cart"><class name="tests.test_cart">
    <test-method is-config="true" status="PASS" name="setUp" duration-ms="9000"/>
    <test-method status="PASS" name="test_total" duration-ms="1500"/>
    <test-method status="FAIL" name="test_tax" duration-ms="500">
      <exception class="AssertionError"><message><![CDATA[assert 1 == 2]]></message></exception>
    </test-method>
    <test-method status="SKIP" name="test_later" duration-ms="0"/>
  </class></test></suite></testng-results>""",
    ReportFormat.CUCUMBER_JSON: """[{"name": "tests", "uri": "cart.feature", "elements": [
  {"type": "background", "name": "", "steps": [
    {"name": "a cart", "result": {"status": "passed", "duration": 1000000000}}]},
  {"type": "scenario", "name": "test_total", "steps": [
    {"name": "a total", "result": {"status": "passed", "duration": 500000000}}]},
  {"type": "scenario", "name": "test_tax", "steps": [
    {"result": {"status": "failed", "duration": 500000000, "error_message": "assert 1 == 2"}},
    {"result": {"status": "skipped", "duration": null}}]},
  {"type": "scenario", "name": "test_later", "steps": [{"result": {"status": "skipped"}}]}]}]""",
    ReportFormat.VISUAL_STUDIO_TRX: """<?xml version="1.0" encoding="UTF-8"?>
<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010">
  <Results>
    <UnitTestResult testId="1" testName="test_total" outcome="Passed" duration="00:00:01.5000000"/>
    <UnitTestResult testId="2" testName="test_tax" outcome="Failed" duration="00:00:00.5">
      <InnerResults><UnitTestResult testId="2" testName="test_tax" outcome="Failed"
        duration="00:00:00.5000000"><Output><ErrorInfo><Message>assert 1 == 2</Message></ErrorInfo>
      </Output></UnitTestResult></InnerResults></UnitTestResult>
    <UnitTestResult testId="3" testName="tests.test_cart.test_later" outcome="NotExecuted"/>
  </Results>
  <TestDefinitions>
    <UnitTest id="1"><TestMethod className="tests.test_cart, Cart, Version=1.0"/></UnitTest>
    <UnitTest id="2"><TestMethod className="tests.test_cart"/></UnitTest>
    <UnitTest id="3"><TestMethod className="tests.test_cart"/></UnitTest>
  </TestDefinitions></TestRun>""",
}

COVERAGE = {
    ReportFormat.CLOVER_XML: """<coverage generated="1" clover="3.2.0"><project timestamp="1">
  <metrics statements="10" coveredstatements="7" conditionals="4" coveredconditionals="3"/>
  <file name="a"><metrics statements="10" coveredstatements="7"/></file>
</project></coverage>""",
    ReportFormat.COBERTURA_XML: """<?xml version="1.0" ?>
<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage lines-valid="10" lines-covered="7" branches-covered="3" branches-valid="4"/>""",
    ReportFormat.JACOCO_XML: """<?xml version="1.0"?>
<!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd">
<report name="shop"><package name="p"><counter type="LINE" missed="3" covered="7"/></package>
  <counter type="INSTRUCTION" missed="9" covered="9"/>
  <counter type="BRANCH" missed="1" covered="3"/><counter type="LINE" missed="3" covered="7"/>
</report>""",
    ReportFormat.SIMPLECOV: """{"RSpec": {"coverage": {
  "/a.rb": {"lines": [1, 1, 1, 1, 1, 1, 0, 0, null],
            "branches": {"[:if, 0]": {"[:then, 1]": 1, "[:else, 2]": 0}}},
  "/b.rb": {"lines": [0, 0], "branches": {"[:if, 0]": {"[:then, 1]": 3, "[:else, 2]": 1}}}}},
 "Cucumber": {"coverage": {"/a.rb": {"lines": [0, 0, 0, 0, 0, 0, 2, 0, null]}}}}""",
}

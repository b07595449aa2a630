package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// The elements and attributes are those that both the schema of Ant's and Maven's reports and that of Jenkins
// allow, in their order.

type junitSuites struct {
	XMLName struct{} `xml:"testsuites"`
	Suites  []junitSuite
}

type junitSuite struct {
	XMLName    struct{}        `xml:"testsuite"`
	Name       string          `xml:"name,attr"`
	ID         int             `xml:"id,attr"`
	Package    string          `xml:"package,attr"`
	Hostname   string          `xml:"hostname,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase
	Out        junitText `xml:"system-out"`
	Err        junitText `xml:"system-err"`
}

type junitText struct {
	Text string `xml:",cdata"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	XMLName struct{}      `xml:"testcase"`
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Skipped *junitSkipped `xml:"skipped"`
	Error   *junitProblem `xml:"error"`
	Failure *junitProblem `xml:"failure"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes a run as JUnit's XML, as CI systems read it: a suite with a case for each threshold, and
// one for the run itself, which is an error if its figures do not count. The other cases are skipped then.
func WriteJUnit(w io.Writer, run Run) error {
	text, err := xml.MarshalIndent(junitSuites{Suites: []junitSuite{suiteOf(run)}}, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}

func suiteOf(run Run) junitSuite {
	x := run.Result
	class := "stormwheel.bench." + kindOf(x, ".")
	s := junitSuite{Name: "stormwheel bench " + kindOf(x, " "), Package: class, Hostname: "localhost",
		Timestamp: x.Started.UTC().Format("2006-01-02T15:04:05"), Time: secondsOf(x.WallS)}
	for _, p := range []junitProperty{{"verdict", string(x.Verdict)}, {"seed", strconv.FormatUint(x.Seed, 10)}, {"started", x.Started.UTC().Format(time.RFC3339)},
		{"version", x.Build.Version}, {"go", x.Build.Go}, {"kernel", x.Build.Kernel}, {"command", run.command()}} {
		if p.Value != "" {
			s.Properties = append(s.Properties, p)
		}
	}
	itself := junitCase{Name: "the run counts", Class: class, Time: secondsOf(x.WallS)}
	void := voidOf(x)
	if void != "" {
		itself.Error = &junitProblem{Message: void, Type: "invalid", Text: void}
		s.Errors++
	}
	s.Cases = append(s.Cases, itself)
	for _, t := range x.Thresholds {
		c := junitCase{Name: nameOf(t), Class: class, Time: secondsOf(0)}
		switch words := t.Words(); {
		case void != "" && words != "":
			c.Skipped = &junitSkipped{"the figures do not count; " + words}
		case void != "":
			c.Skipped = &junitSkipped{"the figures do not count"}
		case words != "":
			c.Failure = &junitProblem{Message: words, Type: typeOf(t), Text: t.Expr + ": " + words}
			s.Failures++
		}
		if c.Skipped != nil {
			s.Skipped++
		}
		s.Cases = append(s.Cases, c)
	}
	s.Tests = len(s.Cases)
	var b strings.Builder
	_ = x.WriteSummary(&b) // a builder takes all
	s.Out.Text = onlyXML(b.String())
	return s
}

// voidOf says why the figures of a run do not count; empty: they do.
func voidOf(x *result.Result) string {
	switch {
	case x.Verdict != result.Invalid:
		return ""
	case x.Generator.WhyInvalid != nil:
		return *x.Generator.WhyInvalid
	case x.CutShort != nil:
		return "cut short, so that the figures cover what ran: " + *x.CutShort
	default:
		return "interrupted: the figures cover what ran"
	}
}

// kindOf is the scenario, and the kind of its storm.
func kindOf(x *result.Result, between string) string {
	if x.Storm != nil && x.Scenario != x.Storm.Kind {
		return x.Scenario + between + x.Storm.Kind
	}
	return x.Scenario
}

func nameOf(t result.ThresholdSeen) string {
	expr := strings.TrimSpace(t.Expr)
	if t.Abort {
		return "abort on " + expr
	}
	return expr
}

// typeOf is who set a threshold.
func typeOf(t result.ThresholdSeen) string {
	switch {
	case t.Abort:
		return "abort"
	case t.Promise:
		return "promise"
	default:
		return "threshold"
	}
}

func secondsOf(s float64) string { return strconv.FormatFloat(s, 'f', 3, 64) }

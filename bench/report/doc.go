// Package report draws what a load test measured: one page of HTML with everything on it,
// or the same pictures as files of SVG, of one run or of several laid over each other.
//
//	run, err := report.Read("out/storm.json")
//	if err == nil {
//		err = report.WriteHTML(os.Stdout, run)
//	}
//
// For CI it writes a run as JUnit's XML, Markdown and OpenMetrics' text.
//
// A page holds all it needs, and asks the network for nothing. Pages and pictures follow the
// reader's light or dark scheme. A picture that makes no sense for a run is not there.
//
// Every axis of bars, areas and counts begins at 0; a logarithmic one says so. Lines of
// several runs differ by their dashes as well as by their colours, which are told apart with
// any colour vision.
//
// Results are data from somewhere else: nothing in them can break a page out of its text,
// and none makes a function of this package panic.
//
// Words are made here, and which picture shows which figures; internal/plot draws them.
package report

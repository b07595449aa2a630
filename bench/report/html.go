package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

//go:embed page.html
var pageText string

// pageScript shows the numbers of the tables under the pointer, and by the arrow keys. A page without it
// has them in its tables.
//
//go:embed page.js
var pageScript string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what the template shows.
type page struct {
	Tab      string // the title of the window
	Title    string
	CSS      template.CSS
	Script   template.JS
	Verdict  result.Verdict
	Summary  string
	Why      []string
	Story    []happening
	Command  string
	First    string
	Names    []string
	Compared []compared
	Remarks  []string // what may be compared

	Thresholds []threshold
	Broke      bool // of one of them it is known when it broke
	Timeline   *figureOf
	Pictures   []figureOf
	Above      []section // of the pictures
	Below      []section
}

// figureOf is a chart on a page: drawn for a wide one, and, where that makes a difference, for a narrow
// one; and its numbers.
type figureOf struct {
	Wide, Narrow template.HTML // our own SVG
	plot.Reading
}

type threshold struct {
	Expr, Actual, Broke string
	OK                  bool
}

type section struct {
	Title string
	Rows  []figure
	Times []figure // in a table of their own, with columns of quantiles
}

// Pixels for which charts are drawn: over the whole page, on a phone, and two beside each other.
const wholeWidth, phoneWidth, halfWidth = 920, 360, 450

// WriteHTML writes one page on the run, or with several a page that compares them.
func WriteHTML(w io.Writer, runs ...Run) error {
	p := pageOf(runs)
	p.CSS, p.Script = template.CSS(pageCSS()+plot.CSS()), template.JS(pageScript)
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return err
	}
	_, err := io.WriteString(w, onlyXML(b.String()))
	return err
}

// onlyXML drops the characters that no XML may have, however they are escaped.
func onlyXML(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r != 0xfffe && r != 0xffff {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, "\ufffd"))
}

func pageOf(runs []Run) (p page) {
	for _, one := range picturesOf(runs) {
		switch {
		case one.part:
		case one.file == "timeline":
			p.Timeline = &figureOf{Wide: template.HTML(plot.Inline(one.chart, wholeWidth)), Narrow: template.HTML(plot.Inline(one.chart, phoneWidth)), Reading: one.chart.Read()}
		default:
			p.Pictures = append(p.Pictures, figureOf{Wide: template.HTML(plot.Inline(one.chart, halfWidth)), Reading: one.chart.Read()})
		}
	}
	if len(runs) == 1 {
		p.one(runs[0])
		return p
	}
	p.Title = fmt.Sprintf("%d runs compared", len(runs))
	p.Tab = p.Title
	p.Compared = compare(runs)
	p.Remarks = remarks(runs, p.Compared)
	for i, r := range runs {
		if i == 0 {
			p.First = r.Name
		}
		p.Names = append(p.Names, r.Name)
		rows := []figure{{Name: "scenario", Value: title(r)}, {Name: "verdict", Value: string(r.Result.Verdict)}}
		if command := r.command(); command != "" {
			rows = append(rows, figure{Name: "command", Value: command})
		}
		p.Below = append(p.Below, section{Title: r.Name, Rows: append(rows, r.setting()...)})
	}
	return p
}

func (p *page) one(r Run) {
	x := r.Result
	p.Tab, p.Title, p.Verdict, p.Summary, p.Why, p.Story, p.Command = tab(r), heading(r), verdict(x.Verdict), summary(r), why(x), r.story(), r.command()
	if said := causeInWords(r, p.Story); said != "" {
		p.Why = append([]string{said}, p.Why...)
	}
	for _, t := range x.Thresholds {
		one := threshold{Expr: nameOf(t), Actual: "none", OK: t.OK}
		if t.Actual != nil {
			one.Actual = plot.Number(*t.Actual, stepOf(*t.Actual))
		}
		if t.BrokeAtS != nil && !t.OK {
			one.Broke, p.Broke = plot.Number(*t.BrokeAtS, .1)+" s", true
		}
		p.Thresholds = append(p.Thresholds, one)
	}
	p.Above, p.Below = []section{{Title: "Where and when", Rows: r.setting()}}, []section{figuresOf(r)}
	if len(x.Repeats) > 0 {
		p.Above = append(p.Above, section{Title: fmt.Sprintf("All %d runs", len(x.Repeats)), Rows: r.repeats()})
	}
	if len(x.Scraped) > 0 {
		p.Below = append(p.Below, section{Title: "What servers say of themselves", Rows: r.scrapedFigures()})
	}
}

// figuresOf has the figures of a run, the times apart.
func figuresOf(r Run) section {
	s := section{Title: "Figures"}
	for _, f := range r.figures() {
		if len(f.Quantiles) > 0 {
			f.Name, _, _ = strings.Cut(f.Name, ": ")
			s.Times = append(s.Times, f)
		} else {
			s.Rows = append(s.Rows, f)
		}
	}
	return s
}

// verdict keeps to the words that there are: it names a class of the style sheet.
func verdict(v result.Verdict) result.Verdict {
	switch v {
	case result.Pass, result.Fail, result.Invalid:
		return v
	}
	return ""
}

// heading is what was done, and to whom.
func heading(r Run) string {
	switch servers := r.Result.Server; {
	case len(servers) == 0 || servers[0].Addr == "":
		return title(r)
	case len(servers) == 1:
		return title(r) + " at " + servers[0].Addr
	default:
		return fmt.Sprintf("%s at %s and %d more", title(r), servers[0].Addr, len(servers)-1)
	}
}

// tab tells the windows of several pages apart: how it went first, and when at the end.
func tab(r Run) string {
	words := heading(r)
	if v := verdict(r.Result.Verdict); v != "" {
		words = string(v) + ": " + words
	}
	if at := r.Result.Started; !at.IsZero() {
		words += ", " + at.UTC().Format("2006-01-02 15:04")
	}
	return words
}

func title(r Run) string {
	if s := r.Result.Storm; s != nil && r.Result.Scenario == result.Talk {
		return result.Talk + ": " + map[string]string{"kill": "a node is killed", "blackout": "the node is killed and comes back",
			"drain": "a node is drained", "restart": "the node is drained and comes back"}[s.Kind]
	} else if s != nil {
		return fmt.Sprintf("%s: %s, policy %s", r.Result.Scenario, s.Kind, s.Policy)
	}
	return r.Result.Scenario
}

// stepOf leaves two decimals to what has any.
func stepOf(v float64) float64 {
	if v == float64(int64(v)) {
		return 1
	}
	return .01
}

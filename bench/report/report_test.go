package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// element is one of a parsed document, with the text directly in it.
type element struct {
	name string
	attr map[string]string
	text string
}

// parse fails unless the text is well-formed, and harmless: nothing in it is fetched or run.
func parse(t testing.TB, text []byte) (all []element) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(text))
	var open []int
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("not well-formed: %v\n%.2000s", err, text)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := element{name: token.Name.Local, attr: map[string]string{}}
			for _, a := range token.Attr {
				e.attr[a.Name.Local] = a.Value
				if e.name == "script" || slices.Contains([]string{"src", "href", "srcset", "action", "data", "style"}, a.Name.Local) || strings.HasPrefix(a.Name.Local, "on") {
					t.Errorf("<%s %s=%q> in the output", e.name, a.Name.Local, a.Value)
				}
			}
			if slices.Contains([]string{"img", "image", "link", "iframe", "object", "use", "foreignObject"}, e.name) {
				t.Errorf("<%s> in the output", e.name)
			}
			open, all = append(open, len(all)), append(all, e)
		case xml.EndElement:
			if e := all[open[len(open)-1]]; e.name == "style" && (strings.Contains(e.text, "url(") || strings.Contains(e.text, "@import")) {
				t.Errorf("the style sheet fetches something: %s", e.text)
			}
			if e := all[open[len(open)-1]]; e.name == "script" && e.text != pageScript {
				t.Errorf("a script that is not ours: %s", e.text)
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				all[open[len(open)-1]].text += string(token)
			}
		}
	}
}

// draw parses a picture.
func draw(t testing.TB, c plot.Chart) []element {
	t.Helper()
	return parse(t, []byte(plot.SVG(c)))
}

func named(t testing.TB, r Run, file string) plot.Picture {
	t.Helper()
	for _, p := range picturesOf([]Run{r}) {
		if p.file == file {
			return p.chart.(plot.Picture)
		}
	}
	t.Fatalf("%s has no picture %s", r.Name, file)
	return plot.Picture{}
}

// files are the names of the pictures of a run.
func files(r Run) (all []string) {
	for _, p := range picturesOf([]Run{r}) {
		all = append(all, p.file)
	}
	return all
}

func TestEveryRunGivesAWellFormedHarmlessPageAndPictures(t *testing.T) {
	for name, r := range every(t) {
		t.Run(name, func(t *testing.T) {
			var page bytes.Buffer
			if err := WriteHTML(&page, r); err != nil {
				t.Fatal(err)
			}
			parse(t, page.Bytes())
			for _, p := range picturesOf([]Run{r}) {
				draw(t, p.chart)
			}
		})
	}
}

func TestEveryComparisonIsWellFormedAndHarmless(t *testing.T) {
	for name, r := range every(t) {
		for _, runs := range [][]Run{{r, demo(t)}, {r, r}} {
			runs[0].Name += `<script>`
			var page, table bytes.Buffer
			if err := errors.Join(WriteHTML(&page, runs...), WriteTable(&table, runs...)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			parse(t, page.Bytes())
			for _, p := range picturesOf(runs) {
				draw(t, p.chart)
			}
			parse(t, []byte(Storms(runs...)))
		}
	}
}

func TestARunHasThePicturesThatMakeSenseForIt(t *testing.T) {
	always := []string{"timeline", "online", "rates"}
	storm := []string{"return", "attempts", "attempts-per-success"}
	cost := []string{"memory", "cpu"}
	runs := every(t)
	for name, want := range map[string][]string{
		"hold":    slices.Concat(always, []string{"connect", "rtt"}, cost),
		"silent":  slices.Concat(always, []string{"connect", "rtt", "lateness"}, cost),
		"kill":    slices.Concat(always, storm, []string{"offline", "connect", "rtt"}, cost),
		"drain":   slices.Concat(always, storm, []string{"connect", "rtt"}, cost),
		"demo":    slices.Concat(always, storm, []string{"offline", "connect", "rtt", "lateness"}, cost),
		"empty":   nil,
		"cohorts": slices.Concat(always, []string{"return", "cohorts", "attempts", "attempts-per-success", "offline", "connect", "rtt", "probes", "lateness"}, cost),
	} {
		if got := files(runs[name]); !slices.Equal(got, want) {
			t.Errorf("%s has the pictures %v, want %v", name, got, want)
		}
	}
}

// scale turns values of the horizontal axis into pixels, by two of its labels.
func scale(t testing.TB, all []element, one, other string) func(float64) float64 {
	t.Helper()
	at := func(label string) (value, x float64) {
		for _, e := range all {
			if e.name == "text" && e.text == label && e.attr["class"] == "dim mid" {
				value, _ = strconv.ParseFloat(label, 64)
				x, _ = strconv.ParseFloat(e.attr["x"], 64)
				return value, x
			}
		}
		t.Fatalf("no label %q below the axis", label)
		return 0, 0
	}
	v1, x1 := at(one)
	v2, x2 := at(other)
	return func(v float64) float64 { return x1 + (v-v1)*(x2-x1)/(v2-v1) }
}

// places are the x of the ends of all lines and of the sides of all rectangles of a class.
func places(all []element, class string) (xs []float64) {
	for _, e := range all {
		at := func(name string) float64 {
			x, _ := strconv.ParseFloat(e.attr[name], 64)
			return x
		}
		switch {
		case e.attr["class"] != class:
		case e.name == "line":
			xs = append(xs, at("x1"), at("x2"))
		case e.name == "rect":
			xs = append(xs, at("x"), at("x")+at("width"))
		}
	}
	return xs
}

func TestTheStormIsMarkedWhereItWas(t *testing.T) {
	r := stormed(t, "kill", "window")
	all := draw(t, named(t, r, "online"))
	x, marks := scale(t, all, "0", "20"), places(all, "mark")
	for what, at := range map[string]float64{"t0": 10, "T50": 12.5, "T95": 14.75, "T99": 14.95} {
		if !slices.ContainsFunc(marks, func(m float64) bool { return math.Abs(m-x(at)) <= 1 }) {
			t.Errorf("%s at %g s belongs at x = %.1f; the marks are at %v", what, at, x(at), marks)
		}
	}
	back := draw(t, named(t, r, "return"))
	x = scale(t, back, "0", "4")
	if marks := places(back, "mark"); !slices.ContainsFunc(marks, func(m float64) bool { return math.Abs(m-x(4.95)) <= 1 }) {
		t.Errorf("T99 belongs at x = %.1f of the way back; the marks are at %v", x(4.95), marks)
	}
}

func TestThePromiseOfTheEvictionsIsTwoTicksAndFiftyMilliseconds(t *testing.T) {
	all := draw(t, named(t, silent(t), "lateness"))
	x := scale(t, all, "0", "500")
	spans := places(all, "span") // that of the legend comes first
	if len(spans) != 4 || math.Abs(spans[2]-x(0)) > 1 || math.Abs(spans[3]-x(550)) > 1 {
		t.Errorf("the span is at %v, want it from %.1f to %.1f", spans, x(0), x(550))
	}
	trickle := silent(t)
	trickle.Result.Scenario = "trickle"
	if all := draw(t, named(t, trickle, "lateness")); math.Abs(places(all, "span")[3]-scale(t, all, "0", "800")(1050)) > 1 {
		t.Errorf("the promise of a trickle is at %v, want four ticks and 50 ms, at %.1f", places(all, "span"), scale(t, all, "0", "800")(1050))
	}
	foreign := silent(t)
	foreign.Result.Terms = nil
	if spans := places(draw(t, named(t, foreign, "lateness")), "span"); len(spans) > 0 {
		t.Errorf("a server whose tick nobody knows has promised something: %v", spans)
	}
}

func TestAxesOfCountsBeginAtZero(t *testing.T) {
	for name, r := range every(t) {
		for _, one := range append(picturesOf([]Run{r}), picturesOf([]Run{r, r})...) {
			p, ok := one.chart.(plot.Picture)
			if !ok {
				continue // Bars have no other axis
			}
			if !p.Y.Log && p.Y.Min != 0 {
				t.Errorf("%s: %s begins at %g", name, one.file, p.Y.Min)
			}
			if p.Y.Log && !strings.Contains(p.Y.Label, "logarithmic") {
				t.Errorf("%s: %s does not say that it is logarithmic", name, one.file)
			}
		}
	}
}

func TestManyNodesAreDrawnAsTheirExtremes(t *testing.T) {
	r := hold(t)
	for range 54 {
		r.Result.Server = append(r.Result.Server, r.Result.Server[0])
	}
	for i := range r.Result.Detail.Seconds {
		s := &r.Result.Detail.Seconds[i]
		for n := range 54 {
			s.Servers = append(s.Servers, result.ServerSecond{RSSBytes: new(int64(20e6 + n*1e6))})
		}
	}
	p := named(t, r, "memory")
	var last []float64
	for _, l := range p.Layers {
		points := l.(plot.Line).Points
		last = append(last, points[len(points)-1].Y)
	}
	if len(last) != 3 || math.Abs(last[0]-73) > 1e-6 || last[1] < 20 || last[1] > 73 || math.Abs(last[2]-17.9) > .1 {
		t.Errorf("56 nodes are drawn as lines that end at %v, want the greatest, a mean, and the least", last)
	}
}

func TestASpectrumIsTheValueAtEachPercentile(t *testing.T) {
	d := dist{bins: []plot.Bin{{To: 1, Count: 900}, {From: 1, To: 10, Count: 90}, {From: 10, To: 100, Count: 9}, {From: 100, To: 1000, Count: 1}}, total: 1000}
	at := func(nines float64) (v float64) {
		for _, p := range d.spectrum() {
			if p.X <= nines+1e-9 {
				v = p.Y
			}
		}
		return v
	}
	for nines, want := range map[float64]float64{.5: 1, 1.5: 10, 2.5: 100, 3: 1000} {
		if got := at(nines); got != want {
			t.Errorf("at 1-10^-%g: %g, want %g", nines, got, want)
		}
	}
	if p := d.cumulative(100 / d.total); p[len(p)-1] != plot.At(1000, 100) {
		t.Errorf("a distribution ends at %v, want 100 %%", p[len(p)-1])
	}
}

func TestACommandIsWrittenAsAShellReadsIt(t *testing.T) {
	r := hold(t)
	r.Result.Detail.Command = []string{"stormwheel", "--threshold", "a<1", "it's", ""}
	if got, want := r.command(), `stormwheel --threshold 'a<1' 'it'\''s' ''`; got != want {
		t.Errorf("command = %s, want %s", got, want)
	}
}

// A result of the schema before has the same pictures, of figures under other names.
func TestAnOlderResultIsDrawn(t *testing.T) {
	now := stormed(t, "kill", "window")
	now.Result.Storm.OutageS, now.Result.Storm.IdealFromS = new(0.0), new(0.0)
	text, err := json.Marshal(now.Result)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	doc["schema"] = "stormwheel.bench/v1"
	heartbeat, storm, histograms := doc["heartbeat"].(map[string]any), doc["storm"].(map[string]any), doc["detail"].(map[string]any)["histograms"].(map[string]any)
	heartbeat["rtt_actual_ms"] = map[string]any{"p50": 0.5}
	histograms["rtt"], histograms["connect"] = histograms["rtt_intended"], histograms["connect_intended"]
	delete(histograms, "rtt_intended")
	delete(histograms, "connect_intended")
	delete(storm, "ideal_from_s")
	delete(doc, "load")
	if text, err = json.Marshal(doc); err != nil {
		t.Fatal(err)
	}
	old, err := result.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if h := old.Heartbeat; !old.Old() || h.RTTms.P50 != 0.5 || h.IntendedRTTms.P50 != 1 || *old.Storm.IdealFromS != 0 {
		t.Errorf("heartbeat %+v, from the write %+v, from the due time %+v", h, h.RTTms, h.IntendedRTTms)
	}
	then := Run{Name: "old", Result: old}
	for _, p := range picturesOf([]Run{then}) {
		draw(t, p.chart)
	}
	if got, want := files(then), files(now); !slices.Equal(got, want) {
		t.Errorf("pictures %q, want %q", got, want)
	}
}

// Whatever a file says, it is drawn or refused.
func FuzzPage(f *testing.F) {
	for _, r := range every(f) {
		text, err := json.Marshal(r.Result)
		if err != nil {
			continue // JSON knows no such numbers
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		result, err := result.Parse(text)
		if err != nil {
			return
		}
		for _, runs := range [][]Run{{{Name: "a", Result: result}}, {{Name: "a", Result: result}, {Name: "b", Result: result}}} {
			var page bytes.Buffer
			if err := WriteHTML(&page, runs...); err != nil {
				t.Fatal(err)
			}
			parse(t, page.Bytes())
		}
	})
}

func TestTheAttemptsShowGoodputAndTheOutage(t *testing.T) {
	r := stormed(t, "blackout", "window")
	s, d := r.Result.Storm, &r.Result.Detail
	s.OutageS, s.IdealFromS, s.IdealS = new(2.0), new(2.0), new(7.0)
	d.BackPer100ms = append(make([]uint32, 25), 40, 60)
	d.BackPer100ms = append(d.BackPer100ms, make([]uint32, 40)...) // nobody after that
	p := named(t, r, "attempts")
	var labels []string
	for _, l := range p.Layers {
		switch l := l.(type) {
		case plot.Line:
			labels = append(labels, l.Label)
			if strings.HasPrefix(l.Label, "goodput") && !slices.Equal(l.Points, []plot.Point{plot.At(0, 0), plot.At(1, 0), plot.At(2, 100), plot.At(3, 100)}) {
				t.Errorf("goodput = %v, want a hundred in the third second, and its end", l.Points)
			}
		case plot.Bins:
			labels = append(labels, l.Label)
		case plot.Shade:
			labels = append(labels, l.Label)
			if l.From != 0 || l.To != 2 {
				t.Errorf("the outage is %v to %v, want 0 to 2", l.From, l.To)
			}
		}
	}
	if want := []string{"no node runs", "connect() calls", "goodput: clients back in service", "admitted by nodes: 100 per second"}; !slices.Equal(labels, want) {
		t.Errorf("layers %q, want %q", labels, want)
	}
	draw(t, p)
	for _, l := range named(t, r, "return").Layers {
		if l, ok := l.(plot.Line); ok && strings.HasPrefix(l.Label, "ideal") && l.Points[0] != plot.At(2, 0) {
			t.Errorf("the ideal begins at %v, want when a node could accept", l.Points[0])
		}
	}
}

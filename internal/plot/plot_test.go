package plot

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const evil = `"'><script src=http://x/>&]]>` + "\x00\x0b\ufffe\xff" + `</style></svg>`

// wild are figures that are hard to draw.
var wild = []float64{0, -1, 1, 1e300, -1e300, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64}

// hard are charts of which each should still be a picture.
func hard() map[string]Chart {
	points := []Point{}
	for _, x := range wild {
		for _, y := range wild {
			points = append(points, At(x, y), Point{X: x, Y: y, Low: y, High: x})
		}
	}
	charts := map[string]Chart{"nothing": Picture{}, "no bar": Bars{}, "hostile bars": Bars{Title: evil, Note: evil, Unit: evil, Parts: []string{evil, evil},
		Bars: []Bar{{Label: evil, Parts: wild, Low: math.Inf(-1), High: math.Inf(1)}, {}, {Parts: []float64{1, 2, 3, 4}, Low: 9, High: 8, Colour: 1 << 40}}}}
	panels := []Panel{{}, {Title: evil, None: evil}, {Title: evil, Y: FromZero("", math.NaN(), 5), Layers: []Layer{Line{Label: evil, Points: points, Since: true, Filled: true}, Line{}, Mark{At: 1}, Bins{Bins: []Bin{{2, 1, -3}}}}},
		{Y: Logarithmic("", 1, 0), Layers: []Layer{Line{Label: strings.Repeat("long", 100), Points: points[:1]}, Line{Points: []Point{At(math.NaN(), 1)}}}}}
	for i, legend := range []bool{false, true} {
		charts[fmt.Sprint("timeline ", i)] = Timeline{Title: evil, Note: evil, X: Exactly(evil, -3, 7), Panels: panels, Legend: legend, Phases: []Span{{evil, 0, 1}, {"", 5, 2}, {evil, math.NaN(), 3}},
			Events: []Event{{Span: Span{evil, 1, 2}}, {Span: Span{strings.Repeat(evil, 30), 6.9, math.Inf(1)}, Bad: true}, {Span: Span{From: math.NaN()}}, {Span: Span{From: 1e300}}, {Span: Span{evil, 2, -2}}}}
	}
	charts["no timeline"] = Timeline{}
	for i, x := range []Axis{{}, FromZero(evil, math.NaN(), math.Inf(1)), Exactly(evil, -1e308, 1e308), Logarithmic(evil, math.NaN(), math.Inf(1)), Logarithmic(evil, -5, -7), Percentiles(0), Percentiles(1e18)} {
		for j, y := range []Axis{{}, Percent(evil), Logarithmic(evil, 3, 3)} {
			for _, beside := range []bool{false, true} {
				charts[fmt.Sprint("axes ", i, j, beside)] = Picture{Title: evil, Note: strings.Repeat(evil+" ", 50), X: x, Y: y, Beside: beside, Layers: []Layer{
					Line{Label: evil, Points: points, Steps: true, Filled: true, Dots: true, Dash: Dashes[3]}, Line{Label: strings.Repeat("long", 100), Points: points[:1], Strong: true, Colour: Ink},
					Line{}, Dots{Label: evil, Points: points}, Bins{Label: evil, Bins: []Bin{{1, 2, 3}, {math.NaN(), 2, 3}, {2, 1, -3}}},
					Shade{Label: evil, From: 2, To: 1}, Shade{From: math.NaN()}, Mark{At: 1, Label: strings.Repeat(evil, 30)}, Mark{At: math.NaN()}, Mark{At: 1e300}}}
			}
		}
	}
	return charts
}

func TestEveryChartIsWellFormedAndHarmless(t *testing.T) {
	for name, c := range hard() {
		for _, row := range c.Read().Rows {
			if len(row.Cells) != len(c.Read().Columns) {
				t.Errorf("%s: a row of %d figures in %d columns", name, len(row.Cells), len(c.Read().Columns))
			}
		}
		for kind, svg := range map[string]string{"file": SVG(c), "inline": Inline(c, Width), "narrow": Inline(c, 360), "stack": Stack(evil, c, c)} {
			d := xml.NewDecoder(strings.NewReader(svg))
			for {
				token, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%s as %s: %v\n%.2000s", name, kind, err, svg)
				}
				e, ok := token.(xml.StartElement)
				if !ok {
					continue
				}
				if e.Name.Local == "script" {
					t.Errorf("%s as %s: a label became an element", name, kind)
				}
				for _, a := range e.Attr {
					if a.Name.Local != "aria-label" && (strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf")) {
						t.Errorf("%s as %s: <%s %s=%q>", name, kind, e.Name.Local, a.Name.Local, a.Value)
					}
					if v, err := strconv.ParseFloat(a.Value, 64); (a.Name.Local == "width" || a.Name.Local == "height") && (err != nil || v < 0) {
						t.Errorf("%s as %s: <%s %s=%q>", name, kind, e.Name.Local, a.Name.Local, a.Value)
					}
				}
			}
		}
	}
}

func TestALogarithmicAxisEndsAtRoundValues(t *testing.T) {
	for _, test := range []struct {
		low, high, first, last float64
		ticks                  string
	}{
		{480, 6800, 200, 10_000, "200 500 1,000 2,000 5,000 10,000"},
		{1000, 1000, 1000, 2000, "1,000 2,000"},
		{.03, .4, .02, .5, "0.02 0.05 0.1 0.2 0.5"},
		{20, 19_000, 20, 20_000, "20 100 1,000 10,000 20,000"},
	} {
		a := Logarithmic("", test.low, test.high)
		var labels []string
		for _, tick := range a.Ticks {
			labels = append(labels, tick.Label)
		}
		if got := strings.Join(labels, " "); got != test.ticks || math.Abs(a.Place(test.first)) > 1e-9 || math.Abs(a.Place(test.last)-1) > 1e-9 {
			t.Errorf("Logarithmic(%g, %g) has %s from 10^%g to 10^%g, want %s", test.low, test.high, got, a.Min, a.Max, test.ticks)
		}
	}
}

func TestALinearAxisBeginsAtZero(t *testing.T) {
	for _, test := range []struct {
		axis          Axis
		min, max      float64
		first, second string
	}{
		{FromZero("", 0, 730), 0, 800, "0", "200"},
		{FromZero("", 50, 100), 0, 100, "0", "20"},
		{FromZero("", -3, 8), -5, 10, "-5", "0"},
		{FromZero("", 0, 0), 0, 1, "0", "1"},
		{Low("", 0, 4e6), 0, 4e6, "0", "2 M"},
		{Low("", 0, 1.2e6), 0, 1.5e6, "0", "0.5 M"},
		{Low("", 0, 400_000), 0, 400_000, "0", "200,000"},
		{Low("", -5, 3e9), -2e9, 4e9, "-2 G", "0"},
		{Exactly("", 0, 7.5), 0, 7.5, "0", "1"},
	} {
		a := test.axis
		if a.Min != test.min || a.Max != test.max || a.Ticks[0].Label != test.first || a.Ticks[1].Label != test.second {
			t.Errorf("axis %+v, want %g to %g, by %s, %s", a, test.min, test.max, test.first, test.second)
		}
	}
}

func TestFiguresAreWrittenForPeople(t *testing.T) {
	for _, test := range []struct {
		v, step float64
		want    string
	}{{1234567, 1, "1,234,567"}, {0.5, .1, "0.5"}, {-1234.5, .01, "-1,234.50"}, {999, 1, "999"}, {0, .2, "0.0"}, {4.874, .01, "4.87"}} {
		if got := Number(test.v, test.step); got != test.want {
			t.Errorf("Number(%g, %g) = %q, want %q", test.v, test.step, got, test.want)
		}
	}
}

func TestLabelsOfAnAxisDoNotTouch(t *testing.T) {
	svg := SVG(Picture{X: Logarithmic("", 1, 1_000_000), Y: Percent("")})
	type label struct{ x, half float64 }
	var all []label
	var texts []string
	for _, m := range regexp.MustCompile(`<text class="dim mid" x="([0-9.]+)" y="[0-9.]+">([0-9,]+)<`).FindAllStringSubmatch(svg, -1) {
		x, _ := strconv.ParseFloat(m[1], 64)
		l := label{x, breadth(m[2]) / 2}
		for i, o := range all {
			if math.Abs(o.x-l.x) < o.half+l.half-.1 {
				t.Errorf("%s touches %s", m[2], texts[i])
			}
		}
		all, texts = append(all, l), append(texts, m[2])
	}
	if len(all) < 5 || !slices.Contains(texts, "1") || !slices.Contains(texts, "1,000,000") {
		t.Errorf("labels %q, want the ends of the axis among them", texts)
	}
}

func TestLabelsOfMarksDoNotTouch(t *testing.T) {
	for _, times := range [][3]float64{{2.5, 4.75, 4.95}, {.1, .2, .3}, {19.8, 19.9, 20}, {1, 19, 20}} {
		for _, at := range []float64{0, .1, 10} {
			p := Picture{X: Exactly("", 0, 30), Y: Percent(""), Layers: []Layer{Mark{At: at, Label: "node killed"}}}
			for i, v := range times {
				p.Layers = append(p.Layers, Mark{At: at + v, Label: fmt.Sprintf("T%d %g s", 50+i, v)})
			}
			marks, _ := p.marks(left, Width-right)
			if len(marks) != 4 {
				t.Errorf("%d marks, want 4", len(marks))
			}
			for i, m := range marks {
				for _, other := range marks[:i] {
					if m.row == other.row && math.Abs(m.At-other.At)/30*740 < min(breadth(m.Label), breadth(other.Label)) && m.right == other.right {
						t.Errorf("t0 %g, times %v: %q and %q lie upon each other", at, times, m.Label, other.Label)
					}
				}
			}
		}
	}
}

// Lines as a comparison has them: rising at random, one of which ends early.
func TestNamesBesideLinesAreApartAndCoverNoLine(t *testing.T) {
	names := []string{"timingwheel", "same wheel, intrusive list", "time.AfterFunc + Reset", "container/heap, mutex", "RussellLuo/timingwheel", "hashed wheel with rounds (Netty)", "sweep every tick", "sweep every 4 s (uSockets)"}
	for early := range names {
		for seed := range uint64(20) {
			random := rand.New(rand.NewPCG(seed, 1))
			p := Picture{X: Logarithmic("", 1e4, 1e7), Y: Logarithmic("", 1e-4, 100), Beside: true}
			for i, label := range names {
				l, cost := Line{Label: label, Colour: i}, random.Float64()/1e4
				for n := 1e4; n <= 1e7; n *= 10 {
					if cost *= 1 + 20*random.Float64(); i != early || n < 1e7 {
						l.Points = append(l.Points, Point{n, cost, cost, cost})
					}
				}
				p.Layers = append(p.Layers, l)
			}
			f := &frame{canvas: &canvas{width: Width}, left: left, top: 80, right: Width - right - p.widest(Width), bottom: 380, xAxis: p.X, yAxis: p.Y}
			all := p.ends(f)
			if len(all) != len(names) {
				t.Fatalf("%d names, want %d", len(all), len(names))
			}
			for i, n := range all {
				if n.x < f.right && !p.free(f, n, nil) {
					t.Errorf("%q ends early, seed %d: the name %q covers a line", names[early], seed, n.line.Label)
				}
				for _, o := range all[:i] {
					if b, other := n.box(), o.box(); b.left < other.right && other.left < b.right && math.Abs(n.y-o.y) < lineHeight-.01 {
						t.Errorf("%q ends early, seed %d: the names %q and %q touch", names[early], seed, n.line.Label, o.line.Label)
					}
				}
			}
		}
	}
}

func TestABarSaysItsTotal(t *testing.T) {
	svg := SVG(Bars{Unit: "µs", Parts: []string{"user", "system"}, Bars: []Bar{{Label: "ours & theirs", Parts: []float64{1.5, 9}, Low: 9, High: 12}}})
	for _, want := range []string{">10.5<", ">ours &amp; theirs<", ">µs; solid: user, pale: system<", `class="f0 pale"`, `class="mark"`} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %s in %s", want, svg)
		}
	}
}

func TestLinesOfOneColourDifferByTheirDashes(t *testing.T) {
	for i := range 3 * Colours {
		for j := range i {
			if class("l", i) == class("l", j) && slices.Equal(DashOf(i), DashOf(j)) {
				t.Errorf("lines %d and %d look the same", i, j)
			}
		}
	}
}

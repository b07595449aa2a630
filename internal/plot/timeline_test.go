package plot

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// minute has a panel with a line that is gone for a while, and one without anything.
func minute() Timeline {
	var online, lost []Point
	for s := 1.0; s <= 60; s++ {
		online, lost = append(online, At(s, 1000)), append(lost, At(s, 0))
	}
	online[11].Y, lost[11].Y = 500, 500
	online[20].Y = math.NaN()
	return Timeline{Title: "a minute", X: Exactly("seconds", 0, 60), Phases: []Span{{"ramp", 0, 20}, {"hold", 20, 60}},
		Events: []Event{{Span: Span{"half are lost", 12, 12}}, {Span: Span{"node n1 stands still", 40, 50}}},
		Panels: []Panel{{Title: "Online", Y: Low("", 0, 1000), Layers: []Layer{Line{Label: "online", Points: online}, Line{Label: "limit", Colour: Ink, Points: []Point{At(0, 1000), At(60, 1000)}}}},
			{Title: "Waiting", None: "none"},
			{Title: "Lost, per second", Y: Low("", 0, 500), Layers: []Layer{Line{Label: "lost", Points: lost, Since: true, Filled: true}}}}}
}

func TestATimelineIsReadAtItsTimes(t *testing.T) {
	r := minute().Read()
	if want := []string{"Online: online", "Lost, per second: lost"}; !slices.Equal(r.Columns, want) {
		t.Fatalf("columns %q, want %q: a limit is no reading", r.Columns, want)
	}
	got := map[string]string{}
	for _, row := range r.Rows {
		got[row.Label] = strings.Join(row.Cells, " ")
	}
	for label, want := range map[string]string{"11": "1,000 0", "12": "500 500", "13": "1,000 0", "21": " 0"} {
		if got[label] != want {
			t.Errorf("at %s it says %q, want %q", label, got[label], want)
		}
	}
}

// What is counted in a second is drawn over it, and no other.
func TestWhatIsCountedInASecondLastsIt(t *testing.T) {
	l := Line{Points: []Point{At(1, 5), At(2, 7)}, Since: true}
	if want := []Point{At(0, 5), At(1, 5), At(1, 7), At(2, 7)}; !slices.Equal(l.parts()[0], want) {
		t.Errorf("drawn as %v, want %v", l.parts()[0], want)
	}
	c, _ := columnOf(l, Exactly("", 0, 2))
	if c.at(.5) != "5" || c.at(1) != "5" || c.at(1.5) != "7" || c.at(2.5) != "" {
		t.Errorf("read as %q, %q, %q and %q", c.at(.5), c.at(1), c.at(1.5), c.at(2.5))
	}
}

func TestEveryWidthNamesWhatHappenedWithoutATouch(t *testing.T) {
	text := regexp.MustCompile(`<text class="label( end)?" x="([0-9.]+)" y="([0-9.]+)">([^<]*)<`)
	for _, width := range []float64{Width, 920, 360} {
		for gap := range 20 {
			chart := minute()
			chart.Events = nil
			for i := range 6 {
				chart.Events = append(chart.Events, Event{Span: Span{Label: fmt.Sprintf("event number %d", i), From: 30 + float64(i*gap)/4}})
			}
			type box struct{ left, right, y float64 }
			var all []box
			for _, m := range text.FindAllStringSubmatch(Inline(chart, width), -1) {
				x, _ := strconv.ParseFloat(m[2], 64)
				y, _ := strconv.ParseFloat(m[3], 64)
				b := box{x, x + breadth(m[4]), y}
				if m[1] != "" {
					b = box{x - breadth(m[4]), x, y}
				}
				if b.left < 0 || b.right > width {
					t.Errorf("%g wide, %d apart: %q is not on the paper", width, gap, m[4])
				}
				for _, o := range all {
					if o.y == b.y && b.left < o.right && o.left < b.right {
						t.Errorf("%g wide, %d apart: %q touches another", width, gap, m[4])
					}
				}
				all = append(all, b)
			}
			if len(all) < 6 {
				t.Errorf("%g wide, %d apart: %d names, want 6", width, gap, len(all))
			}
		}
	}
}

// A script finds the place of a reading by these.
func TestAPictureOfAPageSaysWhereItsAxisIs(t *testing.T) {
	attribute := func(svg, name string) float64 {
		m := regexp.MustCompile(name + `="([-0-9.e+]+)"`).FindStringSubmatch(svg)
		if m == nil {
			t.Fatalf("no %s in %.300s", name, svg)
		}
		v, _ := strconv.ParseFloat(m[1], 64)
		return v
	}
	for name, c := range map[string]Chart{"timeline": minute(), "picture": Picture{X: Exactly("", 0, 60), Y: Percent("")}} {
		for _, width := range []float64{360, 920} {
			svg := Inline(c, width)
			if left, right := attribute(svg, "data-left"), attribute(svg, "data-right"); left < 20 || right <= left || right > width || attribute(svg, "data-min") != 0 || attribute(svg, "data-max") != 60 {
				t.Errorf("%s, %g wide: from %g to %g, %g to %g", name, width, left, right, attribute(svg, "data-min"), attribute(svg, "data-max"))
			}
		}
	}
}

func TestAReadingIsInTheUnitOfItsAxis(t *testing.T) {
	spectrum := Picture{X: Percentiles(1000), Y: Logarithmic("ms", 1, 100), Layers: []Layer{Line{Label: "all", Points: []Point{At(0, 1), At(Nines(900, 1000), 1), At(Nines(900, 1000), 10), At(Nines(999, 1000), 100)}}}}
	r := spectrum.Read()
	if last := r.Rows[len(r.Rows)-1]; last.Label != "99.9 %" || last.Cells[0] != "100" || r.Rows[0].Label != "0 %" {
		t.Errorf("rows %+v, want 0 %% to 99.9 %%", r.Rows)
	}
	for v, want := range map[float64]string{.05: "0.05", .1234: "0.123", 12.5: "12.5", 1234.6: "1,235", 0: "0", 20: "20"} {
		if got := digits(v); got != want {
			t.Errorf("digits(%g) = %q, want %q", v, got, want)
		}
	}
}

// Where lines end together in the middle, their names are there too, and none covers another.
func TestNamesInAPanelStayWhereTheirLinesEnd(t *testing.T) {
	p := Panel{Y: Low("", 0, 10)}
	for i, name := range []string{"max", "p99", "p50"} {
		p.Layers = append(p.Layers, Line{Label: name, Colour: i, Points: []Point{At(0, 9), At(1, 0), At(20, 1), At(30, 1+float64(i)/10)}})
	}
	p.Layers = append(p.Layers, Line{Points: []Point{At(29, 0), At(30, 10), At(31, 0), At(32, 10), At(33, 0), At(34, 10), At(35, 0)}})
	f := &frame{canvas: &canvas{width: 360}, left: 60, right: 300, top: 100, bottom: 100 + panelHeight, xAxis: Exactly("", 0, 60), yAxis: p.Y}
	names := p.picture(f.xAxis).ends(f)
	if len(names) != 3 {
		t.Fatalf("%d names", len(names))
	}
	for i, n := range names {
		if n.x > f.x(30)+60 {
			t.Errorf("%s is at %g, far from %g", n.line.Label, n.x, f.x(30))
		}
		for _, o := range names[:i] {
			if n.box().meets(o.box()) {
				t.Errorf("%s covers %s", n.line.Label, o.line.Label)
			}
		}
	}
}

func TestATimelineIsReadWhereItWasMeasured(t *testing.T) {
	line := func(points ...Point) Panel {
		return Panel{Title: "of", Layers: []Layer{Line{Points: points, Label: "a"}}, Y: Low("", 0, 9)}
	}
	chart := Timeline{X: Exactly("s", 0, 5), Panels: []Panel{line(At(1, 1), At(2, 2), At(3.1, 3)), line(At(1.5, 5), At(3, 6), At(3.1, math.NaN())), line(At(1, 7), At(4, 8))}}
	var got []string
	for _, row := range chart.Read().Rows {
		got = append(got, row.Label+" "+strings.Join(row.Cells, ","))
	}
	if all, want := strings.Join(got, "|"), "1.00 1,,7|2.00 2,5,|3.10 3,6,|4.00 ,,8"; all != want {
		t.Errorf("%s, want %s", all, want)
	}
}

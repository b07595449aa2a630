package benchdoc

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestPicturesAreWellFormed(t *testing.T) {
	lines := Lines{Title: "a < b", XUnit: "connections", YUnit: "bytes", Lines: []Line{
		{Label: "ours & theirs", Points: []Point{{1000, 500, 480, 520}, {15000, 500, 480, 520}}}, {Label: "none"}}}
	bars := Bars{Title: "a < b", Unit: "µs", Parts: [2]string{"user", "system"},
		Bars: []Bar{{"ours & theirs", [2]float64{1.5, 9}, 9, 12}, {"zero", [2]float64{}, 0, 0}}}
	for name, svg := range map[string]string{"lines": lines.SVG(), "bars": bars.SVG(), "no line": Lines{}.SVG(), "no bar": Bars{}.SVG()} {
		dec := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := dec.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: a coordinate is no number: %s", name, svg)
		}
	}
}

func TestAxesEndAtRoundValues(t *testing.T) {
	for _, test := range []struct {
		low, high float64
		want      []float64
	}{
		{480, 6800, []float64{200, 500, 1000, 2000, 5000, 10000}},
		{1000, 1000, []float64{1000, 2000}},
	} {
		got := steps(test.low, test.high)
		same := slices.EqualFunc(got, test.want, func(a, b float64) bool { return a > b*0.999 && a < b*1.001 })
		if !same {
			t.Errorf("steps(%g, %g) = %v, want %v", test.low, test.high, got, test.want)
		}
	}
	if got := Grouped(1234567); got != "1,234,567" {
		t.Errorf("Grouped(1234567) = %q", got)
	}
}

package benchdoc

import (
	"encoding/xml"
	"io"
	"regexp"
	"slices"
	"strconv"
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

func TestLabelsOfAnAxisDoNotOverlap(t *testing.T) {
	svg := Lines{Lines: []Line{{Points: []Point{{1, 1, 0, 0}, {1_000_000, 2, 0, 0}}}}}.SVG()
	end, last := 0.0, ""
	labels := regexp.MustCompile(`x="([0-9.]+)" y="[0-9.]+" text-anchor="middle">([0-9,]+)<`).FindAllStringSubmatch(svg, -1)
	slices.Reverse(labels) // they are drawn from the right
	for _, m := range labels {
		x, _ := strconv.ParseFloat(m[1], 64)
		half := charWidth * float64(len(m[2])) / 2
		if x-half < end {
			t.Errorf("%s touches %s", m[2], last)
		}
		end, last = x+half+charWidth/2, m[2]
	}
	if len(labels) < 5 || last != "1,000,000" {
		t.Errorf("%d labels, the last is %q; want the end of the axis among them", len(labels), last)
	}
}

package payload

import (
	"math"
	"testing"
)

func TestSizesAreReadAndDrawnAsOftenAsTheySay(t *testing.T) {
	const draws = 100_000
	for _, tt := range []struct {
		text        string
		least, most Size
		mean        float64
		share       float64 // of those up to 1000B
	}{
		{"100B", 100, 100, 100, 1},
		{"50B..2KB", 50, 2000, 1025, 951.0 / 1951},
		{"100B:70%,1KB..4KB:25%,16KB:5%", 100, 16000, 70 + 625 + 800, .70008},
		{"20:1, 2KB:3", 20, 2000, 1505, .25},
	} {
		s, err := ParseSizes(tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		d := s.Dice()
		if d.Least() != tt.least || d.Most() != tt.most || math.Abs(d.Mean()-tt.mean) > 1e-6 {
			t.Errorf("%s: %v to %v, mean %g", tt.text, d.Least(), d.Most(), d.Mean())
		}
		sum, small := 0.0, 0
		for n := range uint64(draws) {
			size := d.Draw(n)
			if size < tt.least || size > tt.most || size != d.Draw(n) {
				t.Fatalf("%s: message %d has %v", tt.text, n, size)
			}
			if sum += float64(size); size <= 1000 {
				small++
			}
		}
		if mean := sum / draws; math.Abs(mean-tt.mean) > .02*tt.mean {
			t.Errorf("%s: the mean of what was drawn is %g, want %g", tt.text, mean, tt.mean)
		}
		if share := float64(small) / draws; math.Abs(share-tt.share) > .01 {
			t.Errorf("%s: %.3f are up to 1000B, want %.3f", tt.text, share, tt.share)
		}
	}
	if d := Sizes("").Dice(); d.Draw(7) != 0 || d.Most() != 0 || d.Least() != 0 {
		t.Error("none is not 0")
	}
}

func TestSizesThatMakeNoSense(t *testing.T) {
	for _, text := range []string{"", "x", "0", "2KB..50B", "100B,1KB", "100B:70%,1KB", "100B:0", "100B:-1", "100B:NaN", "100B:x%", "..", "1B..", "100B:50%,"} {
		if _, err := ParseSizes(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

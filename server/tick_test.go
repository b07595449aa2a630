package server

import (
	"testing"

	"github.com/stormwheel/stormwheel/internal/pulse"
)

// A node's time begins with a moment at which a cluster looks, too, so that every other tick falls together with one.
func TestTicksFallTogetherWithWhatAClusterDoes(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if at := pulse.Origin(s.base.Add(1)); s.base.Sub(at).Abs() > 1 {
		t.Errorf("it begins %v after one", s.base.Sub(at))
	}
}

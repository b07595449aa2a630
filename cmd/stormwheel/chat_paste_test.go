package main

import (
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// pasted is the line of an editor that was given input in pieces.
func pasted(p *pastes, pieces ...string) string {
	var line []rune
	for _, piece := range pieces {
		for _, r := range string(p.typed([]byte(piece))) {
			line = append(line, r)
			if changed, _, ok := p.listen(line, len(line), r); ok {
				line = changed
			}
		}
	}
	return string(line)
}

func TestALongRunGoesAroundTheEditorAsOneRune(t *testing.T) {
	p := &pastes{full: func() { t.Error("the line is full") }}
	long := strings.Repeat("long ", 10)
	if keys := p.typed([]byte(long)); string(keys) != string(standIn) {
		t.Errorf("the editor gets %q", keys)
	}
	p.runs = nil
	for _, pieces := range [][]string{
		{"short"}, {long}, {"a", long, "b\r", long}, {long + "\r" + long}, {"\x1b[1;3D" + long}, {"\x1b", "[", "3", "~" + long}, {"\x1bf" + long},
		{"tab\tshort", long + "\t" + long},
	} {
		if got, want := pasted(p, pieces...), strings.Join(pieces, ""); got != want {
			t.Errorf("%q becomes %q", pieces, got)
		}
	}
	if got := pasted(p, long+"\xff"+long); got != long+"\ufffd"+long {
		t.Errorf("what is no UTF-8 becomes %q", got)
	}
}

// A read may end within a rune. The editor joins its bytes, since they come in order.
func TestAPasteSplitWithinARuneIsWhole(t *testing.T) {
	text := strings.Repeat("x", longRun) + "💖" + strings.Repeat("y", longRun)
	for at := longRun; at <= longRun+4; at++ {
		p := &pastes{}
		keys := string(p.typed([]byte(text[:at]))) + string(p.typed([]byte(text[at:])))
		for _, run := range p.runs {
			keys = strings.Replace(keys, string(standIn), run, 1)
		}
		if keys != text {
			t.Errorf("split at %d it becomes %q", at, keys)
		}
	}
}

func TestALineThatIsFullIsToldOnce(t *testing.T) {
	told := 0
	p := &pastes{full: func() { told++ }}
	long := strings.Repeat("x", 1000)
	var pieces []string
	for range 2 * codec.MaxBody / len(long) {
		pieces = append(pieces, long)
	}
	if got := pasted(p, pieces...); told != 1 || len(got) > codec.MaxBody || len(got) < codec.MaxBody-len(long) {
		t.Errorf("told %d times, a line of %d bytes", told, len(got))
	}
	if got := pasted(p, "\r", "next"); got != "\rnext" {
		t.Errorf("the next line is %q", got)
	}
}

func TestASearchLosesALongRun(t *testing.T) {
	p := &pastes{}
	p.typed([]byte(strings.Repeat("x", longRun)))
	if line, _, ok := p.listen([]rune("found"), 5, standIn); ok || len(p.runs) != 0 {
		t.Errorf("the line becomes %q, %d runs wait", string(line), len(p.runs))
	}
}

package result

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestExitCodes(t *testing.T) {
	late := func(p99 float64) *GeneratorLate { return &GeneratorLate{P99: p99} }
	missed := []string{"conns.end==11"}
	for _, tt := range []struct {
		name       string
		change     func(*Result)
		thresholds []string
		verdict    Verdict
		code       int
	}{
		{"all is well", func(r *Result) {}, nil, Pass, ExitPass},
		{"a threshold failed", func(r *Result) {}, missed, Fail, ExitThreshold},
		{"late at the limit", func(r *Result) { r.Generator.LateMs = late(20) }, nil, Pass, ExitPass},
		{"the generator was late", func(r *Result) { r.Generator.LateMs = late(20.1) }, nil, Invalid, ExitInvalid},
		{"late comes before failed", func(r *Result) { r.Generator.LateMs = late(21) }, missed, Invalid, ExitInvalid},
		{"generator fault", func(r *Result) { r.Eviction.GeneratorFault = 1 }, nil, Invalid, ExitInvalid},
		{"nothing was measured", func(r *Result) { r.Generator.LateMs = nil }, nil, Invalid, ExitInvalid},
		{"interrupted", func(r *Result) { r.Interrupted = true }, missed, Invalid, ExitInterrupted},
	} {
		r := sample()
		r.Generator.LateMs = late(1)
		tt.change(r)
		var all []Threshold
		for _, e := range tt.thresholds {
			th, err := ParseThreshold(e)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, th)
		}
		if err := r.Judge(all, 20*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		err := r.Err()
		if r.Verdict != tt.verdict || ExitCode(err) != tt.code {
			t.Errorf("%s: verdict %s, exit %d (%v), want %s and %d", tt.name, r.Verdict, ExitCode(err), err, tt.verdict, tt.code)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: the message has more than one line: %q", tt.name, err)
		}
	}
}

func TestAnInterruptedRunSaysSoInItsVerdict(t *testing.T) {
	r := sample()
	r.Interrupted, r.Verdict = true, Invalid
	var out strings.Builder
	if err := r.WriteSummary(&out); err != nil || !strings.Contains(out.String(), "verdict: invalid (interrupted") {
		t.Errorf("WriteSummary: %v\n%s", err, out.String())
	}
	out.Reset()
	r.CutShort = new("nobody was welcomed")
	if err := r.WriteSummary(&out); err != nil || !strings.Contains(out.String(), "verdict: invalid (cut short") {
		t.Errorf("nobody interrupted it: %v\n%s", err, out.String())
	}
}

func TestExitCodeOfOtherErrors(t *testing.T) {
	if got := ExitCode(errors.New("disk full")); got != ExitOther {
		t.Errorf("ExitCode(plain error) = %d, want %d", got, ExitOther)
	}
	if got := ExitCode(fmt.Errorf("bench: %w", Usage("no"))); got != ExitUsage {
		t.Errorf("ExitCode(wrapped usage error) = %d, want %d", got, ExitUsage)
	}
}

package result

import (
	"fmt"
	"slices"
	"time"
)

// Judge evaluates validity, thresholds and the verdict. What became of --abort-on stays as it is.
func (out *Result) Judge(thresholds []Threshold, lateLimit time.Duration) error {
	g := &out.Generator
	if g.WhyInvalid == nil {
		g.WhyInvalid = out.fault(lateLimit)
	}
	g.Valid = g.WhyInvalid == nil
	aborts := slices.DeleteFunc(slices.Clone(out.Thresholds), func(t ThresholdSeen) bool { return !t.Abort })
	seen, err := evaluate(out, thresholds)
	if err != nil {
		return err
	}
	out.Thresholds = slices.Insert(seen, 0, aborts...)
	out.Verdict = Pass
	for _, t := range out.Thresholds {
		if !t.OK {
			out.Verdict = Fail
		}
	}
	if out.Interrupted && !out.aborted() || !out.Generator.Valid {
		out.Verdict = Invalid
	}
	return nil
}

// fault is the generator's own, in one sentence; nil if there was none.
func (out *Result) fault(lateLimit time.Duration) *string {
	switch late := out.Generator.LateMs; {
	case out.Connect.Failures.Lacking() != "":
		return new(out.Connect.Failures.Lacking())
	case out.Eviction.GeneratorFault > 0:
		return new(fmt.Sprintf("the generator itself kept %d clients silent for a timeout", out.Eviction.GeneratorFault))
	case out.Handshake != nil: // one waits for another, so that nothing can be late
		return nil
	case late == nil:
		return new("no client got to do anything")
	case late.P99 > Millis(lateLimit):
		return new(fmt.Sprintf("the generator was late, p99 %.1f ms%s; use fewer clients, a quieter machine, or more processors", late.P99, out.latenessByPhase()))
	default:
		return nil
	}
}

// Why is what kept a run from passing; nil if nothing did.
func (r *Result) Why() *string {
	switch r.Verdict {
	case Invalid:
		return r.Generator.WhyInvalid
	case Fail:
		return new(whyFailed(r))
	default:
		return nil
	}
}

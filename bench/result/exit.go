package result

import (
	"errors"
	"fmt"
)

// Exit codes of the command.
const (
	ExitPass        = 0
	ExitOther       = 1   // the run could not be made: a node died unasked, a file could not be written
	ExitUsage       = 2   // a flag, a scenario or a threshold path that does not exist
	ExitImpossible  = 3   // this machine's limits forbid the run
	ExitInvalid     = 4   // the generator's own fault, or too short a run: its numbers prove nothing
	ExitThreshold   = 99  // a threshold failed
	ExitInterrupted = 130 // Ctrl-C; the partial result is written
)

// ExitError carries the exit code of a run to the command's main. Err is one sentence for
// the terminal; nil when the summary has said it all.
type ExitError struct {
	Code int
	Err  error
}

// Error is the sentence.
func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap gives Err.
func (e *ExitError) Unwrap() error { return e.Err }

// ExitCode is the code of err: 0 for nil, 1 for an error that carries none. Kong asks the
// method of the same name.
func ExitCode(err error) int {
	var exit *ExitError
	switch {
	case err == nil:
		return ExitPass
	case errors.As(err, &exit):
		return exit.Code
	default:
		return ExitOther
	}
}

// ExitCode lets kong.FatalIfErrorf end the process with the right code.
func (e *ExitError) ExitCode() int { return e.Code }

// Usage is an error in what was asked for: exit code ExitUsage.
func Usage(format string, args ...any) error {
	return &ExitError{Code: ExitUsage, Err: fmt.Errorf(format, args...)}
}

// Impossible is an error of this machine, which forbids the run: exit code ExitImpossible.
func Impossible(format string, args ...any) error {
	return &ExitError{Code: ExitImpossible, Err: fmt.Errorf(format, args...)}
}

// Err is nil for a result that passed, and an ExitError otherwise. An interrupted run says so whatever its
// figures are, unless --abort-on ended it, and one whose generator was late can neither pass nor fail.
func (r *Result) Err() error {
	switch {
	case r.Interrupted && !r.aborted():
		return &ExitError{Code: ExitInterrupted, Err: errors.New("interrupted; the result covers what ran")}
	case r.Verdict == Invalid:
		return &ExitError{Code: ExitInvalid, Err: errors.New("invalid: " + *r.Generator.WhyInvalid)}
	case r.Verdict == Fail:
		return &ExitError{Code: ExitThreshold, Err: errors.New("failed: " + whyFailed(r))}
	default:
		return nil
	}
}

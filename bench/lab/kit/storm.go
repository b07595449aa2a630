package kit

import "github.com/stormwheel/stormwheel/bench/result"

// What pages tell of a storm after which clients come to another node.

// StormTitles are those of the columns of StormRow.
var StormTitles = []string{"clients", "N/C, s", "t50, s", "t99, s", "t100, s", "attempts each", "cores of the clients", "valid"}

// StormRow is what became of a storm, which res must be of.
func StormRow(res *result.Result) []string {
	s := res.Storm
	var cores *float64
	if res.Generator.CPUS != nil && res.WallS > 0 {
		cores = new(*res.Generator.CPUS / res.WallS)
	}
	valid := "yes"
	if why := res.Generator.WhyInvalid; why != nil {
		valid = "no: " + *why
	}
	return []string{Count(s.Clients), Seen(s.IdealS).String(), Seen(s.T50S).String(), Seen(s.T99S).String(),
		Seen(s.T100S).String(), Seen(s.AttemptsPerSuccess).String(), Seen(cores).String(), valid}
}

// T99ByIdeal is a storm's t99 by N/C; nil: one of them is not known.
func T99ByIdeal(s *result.Storm) *float64 {
	if s.T99S == nil || s.IdealS == nil || *s.IdealS <= 0 {
		return nil
	}
	return new(*s.T99S / *s.IdealS)
}

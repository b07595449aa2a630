package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench/fleet"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

// maxAhead bounds --start-at: what is further away is a mistake.
const maxAhead = 24 * time.Hour

// ParseStart reads a moment that several machines agreed upon: RFC 3339, or HH:MM:SS, the
// next one in the zone of now.
func ParseStart(text string, now time.Time) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		clock, clockErr := time.Parse(time.TimeOnly, text)
		if clockErr != nil {
			return at, result.Usage("%q is neither RFC 3339, as in 2026-01-31T15:04:05Z, nor HH:MM:SS", text)
		}
		at = nextClock(clock, now)
	}
	switch ahead := at.Sub(now); {
	case ahead <= 0:
		return at, result.Usage("%s is past", text)
	case ahead > maxAhead+time.Hour: // the next HH:MM:SS, where a day has 25 hours
		return at, result.Usage("%s is more than 24 hours ahead", text)
	}
	return at, nil
}

// awaitStart waits for the agreed moment, with everything ready.
func awaitStart(ctx context.Context, p *scenario.Plan) error {
	at := p.StartAt
	if at.IsZero() {
		return nil
	}
	wait := time.Until(at)
	if p.Workers > 1 {
		wait -= fleet.HeadStart
	}
	if wait < 0 {
		return &result.ExitError{Code: result.ExitOther, Err: fmt.Errorf("--start-at: %s was past when all was ready, by %v", at.Format(time.TimeOnly), -wait.Round(time.Millisecond))}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return &result.ExitError{Code: result.ExitOther, Err: context.Cause(ctx)}
	}
}

// nextClock is when the clocks in the zone of now will next show the time of day of clock. In
// the night in which an hour occurs twice they show it twice.
func nextClock(clock, now time.Time) (next time.Time) {
	for day := range 3 { // one may have no such time
		on := now.AddDate(0, 0, day)
		at := time.Date(on.Year(), on.Month(), on.Day(), clock.Hour(), clock.Minute(), clock.Second(), 0, now.Location())
		_, before := at.AddDate(0, 0, -1).Zone()
		_, after := at.AddDate(0, 0, 1).Zone()
		shift := time.Duration(before-after) * time.Second
		for _, at := range []time.Time{at, at.Add(shift), at.Add(-shift)} {
			shown := at.Hour() == clock.Hour() && at.Minute() == clock.Minute() && at.Second() == clock.Second()
			if shown && at.After(now) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
		if !next.IsZero() {
			return next
		}
	}
	return next
}

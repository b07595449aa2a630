package bench

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

func TestParseStart(t *testing.T) {
	zone := time.FixedZone("", 3600)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, zone)
	for _, tt := range []struct {
		text string
		want time.Time
	}{
		{"12:00:05", now.Add(5 * time.Second)},
		{"11:59:59", now.Add(24*time.Hour - time.Second)},
		{"2026-03-01T11:30:00Z", now.Add(30 * time.Minute)},
	} {
		if got, err := ParseStart(tt.text, now); err != nil || !got.Equal(tt.want) {
			t.Errorf("%s = %v, %v; want %v", tt.text, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", "noon", "12:00", "2026-03-01T10:59:59Z", "2026-03-03T11:00:00Z"} {
		if got, err := ParseStart(bad, now); result.ExitCode(err) != result.ExitUsage {
			t.Errorf("%q = %v, %v", bad, got, err)
		}
	}
}

// In the night in which an hour occurs twice the clocks show each of its times twice, and the
// next one counts; in that in which one is left out, they show none of its times.
func TestParseStartKnowsTheNightsOfTheClock(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	utc := func(day, hour, minute int) time.Time { return time.Date(2026, 10, day, hour, minute, 0, 0, time.UTC) }
	for _, tt := range []struct {
		now  time.Time
		text string
		want time.Time
	}{
		{utc(24, 23, 0), "02:30:00", utc(25, 0, 30)},  // 01:00: the first 02:30 is next
		{utc(25, 0, 31), "02:30:00", utc(25, 1, 30)},  // 02:31, the first: the second is
		{utc(25, 0, 31), "02:40:00", utc(25, 0, 40)},  // 02:31, the first
		{utc(25, 1, 20), "02:30:00", utc(25, 1, 30)},  // 02:20, the second
		{utc(25, 1, 31), "02:30:00", utc(26, 1, 30)},  // 02:31, the second: tomorrow
		{utc(25, 0, 31), "03:00:00", utc(25, 2, 0)},   // behind the two
		{utc(24, 12, 0), "12:00:00", utc(25, 11, 0)},  // a day of 25 hours
		{utc(24, 12, 30), "13:00:00", utc(25, 12, 0)}, // the same
	} {
		if got, err := ParseStart(tt.text, tt.now.In(berlin)); err != nil || !got.Equal(tt.want) {
			t.Errorf("%s at %v = %v, %v; want %v", tt.text, tt.now.In(berlin), got, err, tt.want.In(berlin))
		}
	}
	spring := time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC) // 01:00, and an hour later 03:00
	if got, err := ParseStart("03:00:00", spring.In(berlin)); err != nil || !got.Equal(spring.Add(time.Hour)) {
		t.Errorf("03:00:00 = %v, %v", got, err)
	}
	if got, err := ParseStart("02:30:00", spring.In(berlin)); err != nil || !got.Equal(spring.Add(24*time.Hour+30*time.Minute)) {
		t.Errorf("02:30:00 of a night that has none = %v, %v; want that of the next", got, err)
	}
}

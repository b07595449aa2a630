package report

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// prepared is a run that was made once, of what a reader should find out from its page.
func prepared(t *testing.T, name string) Run {
	t.Helper()
	r, err := Read("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// pageWords are what a page of a run says, without its tags, scripts and numbers.
func pageWords(t *testing.T, runs ...Run) string {
	t.Helper()
	var page bytes.Buffer
	if err := WriteHTML(&page, runs...); err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>|<details>.*?</details>|<svg .*?</svg>`).ReplaceAllString(page.String(), " ")
	text = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(text, " ")
	return strings.Join(strings.Fields(html.UnescapeString(text)), " ")
}

// Who was not there finds out from the page what happened, and when.
func TestThePageSaysWhatHappenedAndWhen(t *testing.T) {
	for name, want := range map[string][]string{
		"dead-server": {"fail", "sessions at the end: 0, promised 600 (conns.end==600), broken at 10.0 s", "9.0 to 10.0 s 600 of 600 sessions are lost", "nobody is back at the end",
			"3,409 of 3,409 attempts to connect fail: nobody listens there (connection refused)", "9.0 to 10.0 s: The process of server 127.0.0.1:17001 ends; 600 of 600 sessions are lost", "9.0 to 10.0 s the process of server 127.0.0.1:17001 ends 9.0 to 10.0 s 600 of 600"},
		"slow-server": {"fail", "asked for less than 50 (heartbeat.rtt_ms.p99<50), broken at 9.0 s", "8.0 to 16.0 s the server answers slowly: p99 of round trips up to 481 ms, at 10.0 s; 0.14 ms is usual in this run; the load test is punctual (late by 2.00 ms at most); server :17002 takes 2 % of a processor then, 6 % else",
			"600 of 600 clients are online"},
		"out-of-ports": {"invalid", "The figures prove nothing about the server", "found no free local port", "not watched 127.0.0.1:17003", "5.0 to 26.0 s 1,116 of 1,157 attempts to connect fail: this machine has no free local port left",
			"330 of 350 clients are online"},
		"half-lost": {"fail", "sessions lost: 500, promised 0 (conns.lost==0), broken at 12.0 s", "11.0 to 12.0 s 500 of 1,000 sessions are lost at :17004", "all are back by 12.0 s (:17005 has 500 more)",
			"11.0 to 12.0 s: The process of server 127.0.0.1:17004 ends; 500 of 1,000", "late in 3 of these 6 seconds: p99 up to 28.3 ms, at 18.0 s; p99 of the whole run is 12.2 of 20 ms allowed, so that its figures count"},
		"generator-late": {"invalid", "The figures prove nothing about the server: the generator was late", "7.0 to 15.0 s the load test itself is late: p99 up to 416 ms, at 14.2 s, where 20 ms is the limit",
			"600 of 600 clients are online"},
	} {
		t.Run(name, func(t *testing.T) {
			text := pageWords(t, prepared(t, name))
			for _, words := range want {
				if !strings.Contains(text, words) {
					t.Errorf("it does not say %q:\n%s", words, text)
				}
			}
		})
	}
}

// What matters has its name on the axis of time, at its time.
func TestTheTimelineNamesWhatMatters(t *testing.T) {
	for name, want := range map[string]string{"dead-server": "9.0 600 lost", "slow-server": "8.0 slow answers", "out-of-ports": "5.0 connects fail", "half-lost": "11.0 500 lost", "generator-late": "7.0 load test late"} {
		var events []string
		for _, e := range timeline(prepared(t, name)).(plot.Timeline).Events {
			events = append(events, fmt.Sprintf("%.1f %s", e.From, e.Label))
		}
		if !strings.Contains(strings.Join(events, "\n")+"\n", want+"\n") {
			t.Errorf("%s has the events %q, want %q among them", name, events, want)
		}
	}
}

// sentences are those of a run's story.
func sentences(r Run) string {
	var all []string
	for _, h := range r.story() {
		all = append(all, h.When()+": "+h.Text)
	}
	return strings.Join(all, "\n")
}

func TestAStoryTellsOf(t *testing.T) {
	for _, test := range []struct {
		what   string
		change func(*result.Result)
		want   string
	}{
		{"a broken promise", func(x *result.Result) { x.Thresholds[1].BrokeAtS = new(12.0) }, "11.0 to 12.0 s: broken: storm.t99_s<30"},
		{"promises that break together", func(x *result.Result) {
			x.Thresholds[1].BrokeAtS = new(12.0)
			x.Thresholds = append(x.Thresholds, result.ThresholdSeen{Expr: "conns.lost==0", BrokeAtS: new(12.0)}, result.ThresholdSeen{Expr: "conns.peak<9", BrokeAtS: new(2.0)})
		}, "11.0 to 12.0 s: broken: storm.t99_s<30, conns.lost==0"},
		{"a promise that holds after all", func(x *result.Result) { x.Thresholds[0].BrokeAtS = new(12.0) }, ""},
		{"PINGs that wait", func(x *result.Result) {
			for i := 10; i < 14; i++ {
				x.Detail.Seconds[i].Unanswered, x.Detail.Seconds[i].Pongs = 100*(i-9), 0
			}
		}, "10.0 to 14.0 s: up to 400 PINGs at a time wait for longer than a second for an answer; for 4 s nobody gets any"},
		{"slow answers", func(x *result.Result) {
			for i := range x.Detail.Seconds {
				x.Detail.Seconds[i].RTTp99 = new(2.0)
			}
			x.Detail.Seconds[10].RTTp99, x.Detail.Seconds[11].RTTp99 = new(500.0), new(80.0)
		}, "10.0 to 12.0 s: the server answers slowly: p99 of round trips up to 500 ms, at 11.0 s; 2 ms is usual in this run"},
		{"PINGs of the impatient", func(x *result.Result) { x.Load.PongTimeoutMs, x.Detail.Seconds[10].Unanswered = 600, 5 }, "10.0 to 11.0 s: up to 5 PINGs at a time wait for longer than 300 ms for an answer"},
		{"losses of two kinds", func(x *result.Result) {
			x.Detail.Seconds[10].Lost, x.Conns.Losses = 10, result.Losses{Closed: 7, PongTimeout: 3}
		}, "10.0 to 11.0 s: 10 of 1,000 sessions are lost (7: closed by the server without a word; 3: their clients get no answer, and give up); all are back by 11.0 s"},
		{"losses of which it is not known why", func(x *result.Result) {
			x.Detail.Seconds[10].Lost, x.Detail.Seconds[20].Lost, x.Conns.Losses = 10, 10, result.Losses{Closed: 10, PongTimeout: 10}
		}, "10.0 to 11.0 s: 10 of 1,000 sessions are lost; all are back"},
		{"losses beside evictions that were asked for", func(x *result.Result) {
			for i := range x.Detail.Seconds {
				x.Detail.Seconds[i].Evicted = min(10*max(i-7, 0), 30) // in the ninth, tenth and eleventh second
			}
			for _, i := range []int{8, 9, 10} {
				x.Detail.Seconds[i].Lost = 10
			}
			x.Detail.Seconds[10].Lost += 7
			x.Scenario, x.Eviction.Observed, x.Conns.Losses = "silent", 30, result.Losses{Silence: 30, Reset: 7}
		}, "10.0 to 11.0 s: 7 of 1,000 sessions are lost: their connections are reset"},
		{"whose clients they were", func(x *result.Result) {
			x.Server = []result.Server{{Addr: "127.0.0.1:7001", Node: new("a")}, {Addr: "127.0.0.1:7002", Node: new("b")}}
			for i := range x.Detail.Seconds {
				x.Detail.Seconds[i].Servers = []result.ServerSecond{{Conns: new(500)}, {Conns: new(500)}}
			}
			for i := 11; i < len(x.Detail.Seconds); i++ { // the reading of the second itself may be of a moment before
				x.Detail.Seconds[i].Servers = []result.ServerSecond{{Conns: new(1000)}, {}}
			}
			x.Detail.Seconds[10].Lost, x.Conns.Losses = 500, result.Losses{Closed: 500}
		}, "10.0 to 11.0 s: 500 of 1,000 sessions are lost at b: closed by the server without a word; all are back by 11.0 s (a has 500 more)"},
		{"many losses", func(x *result.Result) {
			for i := 4; i < 30; i += 5 {
				x.Detail.Seconds[i].Lost = i
			}
		}, "0.0 to 30.0 s: 13 more sessions are lost now and then"},
		{"false evictions", func(x *result.Result) {
			for i := 9; i < 30; i++ {
				x.Detail.Seconds[i].False = 2
			}
		}, "9.0 to 10.0 s: 2 living clients are evicted"},
		{"messages that do not arrive", func(x *result.Result) { x.Detail.Seconds[9].Undelivered = 4 }, "9.0 to 10.0 s: 4 messages are found missing"},
		{"an event", func(x *result.Result) {
			x.Detail.Events = []result.Event{{T: 3, Until: new(5.5), Kind: result.EventFreeze, Target: "n1", Name: "node n1 stands still"}}
		}, "3.0 to 5.5 s: node n1 stands still"},
		{"an event of a kind from the future", func(x *result.Result) {
			x.Detail.Events = []result.Event{{T: 3, Kind: "eclipse", Name: "the sun is gone"}}
		}, "3.0 s: the sun is gone"},
		{"what was asked for", func(x *result.Result) { x.Connect.TargetPerS = new(500.0) }, "0.0 s: 1,000 clients begin to connect, 500 a second\n2.0 s: all 1,000 are online"},
	} {
		r := hold(t)
		test.change(r.Result)
		got := sentences(r)
		if !strings.Contains(got, test.want) || test.want == "" && strings.Contains(got, "broken") {
			t.Errorf("%s:\n%s\nwant %q", test.what, got, test.want)
		}
	}
}

func TestTheLastPartOfASecondIsDrawn(t *testing.T) {
	r := hold(t)
	d := &r.Result.Detail
	for i := range d.Seconds {
		d.Seconds[i].Span = 1
	}
	d.Seconds = append(d.Seconds, result.Second{T: 30.5, Span: .5, Attempts: 50, Ready: 1000}, result.Second{T: 30.52, Span: .02, Attempts: 2, Ready: 900, Unanswered: 3})
	rows := r.rows()
	last := rows[len(rows)-1]
	if len(rows) != 31 || last.T != 30.52 || last.Attempts != 52 || last.Ready != 900 || last.Unanswered != 3 {
		t.Errorf("the last row is %+v; want the last two parts as one", last)
	}
	if rate := perSecond(func(s result.Second) int { return s.Attempts })(last); *rate != 100 {
		t.Errorf("a rate of %g, want 52 in 0.52 s", *rate)
	}
	if note := timeline(r).(plot.Timeline).Note; !strings.Contains(note, "the last of 0.52 s") {
		t.Errorf("the picture says %q", note)
	}
}

func TestThePageShowsWhatTheMachineWasBusyWith(t *testing.T) {
	r := hold(t)
	r.Result.Build.CPUs = 2
	if strings.Contains(pageWords(t, r), "Processors of the load test") {
		t.Error("a result that does not say has a picture of it")
	}
	for i := range r.Result.Detail.Seconds {
		s := &r.Result.Detail.Seconds[i]
		s.Span, s.GeneratorCPUS, s.MachineCPUS, s.StolenS = 1, new(.5), new(1.5), new(.25)
	}
	r.Result.Detail.Seconds[9].Span = .5
	r.Result.Detail.Seconds[5].GeneratorCPUS, r.Result.Detail.Seconds[5].MachineCPUS = new(.9), new(.2)
	for _, panel := range timeline(r).(plot.Timeline).Panels {
		if panel.Title != "Processors of the load test's machine in use, of 2" {
			continue
		}
		highest := map[string]float64{}
		for _, l := range panel.Layers {
			if line := l.(plot.Line); line.Label == "whole machine" && line.Points[5].Y != .9 {
				t.Errorf("where the kernel's ticks missed most, the machine was busy for %v of a second; want what the load test took", line.Points[5].Y)
			}
		}
		for _, l := range panel.Layers {
			for _, p := range l.(plot.Line).Points {
				highest[l.(plot.Line).Label] = max(highest[l.(plot.Line).Label], p.Y)
			}
		}
		if highest["load test"] != 1 || highest["whole machine"] != 3 || highest["stolen by host"] != .5 {
			t.Errorf("at most %v; want twice what was taken, of the second that lasted a half", highest)
		}
		return
	}
	t.Error("there is no picture of it")
}

func TestThePageTellsThatARampWasHeldBack(t *testing.T) {
	r := hold(t)
	r.Result.Connect.HeldBackS = 12.34
	if words := pageWords(t, r); !strings.Contains(words, "put arrivals off by up to 12.3 s") {
		t.Errorf("of a ramp that was held back the page says\n%s", words)
	}
}

// A day is drawn with as many points as there are pixels, each the worst of its time.
func TestALongRunShowsTheWorst(t *testing.T) {
	r := hold(t)
	d := &r.Result.Detail
	d.Seconds = nil
	for i := range 86_400 {
		d.Seconds = append(d.Seconds, result.Second{T: float64(i + 1), Span: 1, Ready: 1000})
	}
	d.Seconds[50_000].Ready, d.Seconds[50_000].Lost = 400, 600
	line := timeline(r).(plot.Timeline)
	low, high := 1000.0, 0.0
	for i, panel := range line.Panels {
		for _, l := range panel.Layers {
			if l, ok := l.(plot.Line); ok && l.Colour != plot.Ink {
				if len(l.Points) > mostPoints {
					t.Errorf("%s has %d points", panel.Title, len(l.Points))
				}
				for _, p := range l.Points {
					if i == 0 {
						low = min(low, p.Y)
					} else if l.Label == "lost" {
						high = max(high, p.Y)
					}
				}
			}
		}
	}
	if low != 400 || high != 600 {
		t.Errorf("at least %g online, at most %g lost in a second; want 400 and 600", low, high)
	}
	if rows := len(line.Read().Rows); rows > mostPoints {
		t.Errorf("%d rows of numbers", rows)
	}
}

func TestRunsAreLaidOverEachOther(t *testing.T) {
	a, b := stormed(t, "kill", "window"), stormed(t, "kill", "fixed")
	*b.Result.Detail.StormAtS = 12
	line := timelines([]Run{a, b}).(plot.Timeline)
	if !line.Legend || line.X.Min != -12 || line.X.Label != sinceBlow || len(line.Panels[0].Layers) != 2 || line.Events[0].Label != "t0" {
		t.Errorf("%+v, want both, at t0", line)
	}
	if first := line.Panels[0].Layers[1].(plot.Line).Points[0].X; first != 1-12 {
		t.Errorf("the second run begins at %g, want its own t0 at 0", first)
	}
	b.Result.Detail.StormAtS = nil
	if line := timelines([]Run{a, b}).(plot.Timeline); line.X.Min != 0 || line.X.Label != sinceConnect {
		t.Errorf("axis %+v, want that since the first connect", line.X)
	}
}

// A PING that was given up says that nobody answered, not that somebody was slow.
func TestWhoDoesNotAnswerIsNotSlow(t *testing.T) {
	r := hold(t)
	for i := range r.Result.Detail.Seconds {
		r.Result.Detail.Seconds[i].RTTp99 = new(2.0)
	}
	s := &r.Result.Detail.Seconds[10]
	s.RTTp99, s.Pongs = new(4000.0), 0
	if got := sentences(r); strings.Contains(got, "slowly") {
		t.Errorf("it says:\n%s", got)
	}
}

func TestTheTargetsOwnSeriesAreOnTheTimeline(t *testing.T) {
	r := hold(t)
	r.Result.Scraped = map[string]result.Scraped{"a": {Figure: result.FigureRate}}
	r.Result.Detail.Scraped = []result.ScrapedSeries{{Name: "a", T: []float64{1, 2, 3}, Values: []*float64{new(1.0), nil, new(5.0)}}, {Name: "never", T: []float64{1}, Values: []*float64{nil}},
		{Name: "zero", T: []float64{1}, Values: []*float64{new(0.0)}}, {Name: "below", T: []float64{1, 2}, Values: []*float64{new(-4.0)}}}
	var got []string
	for _, p := range timeline(r).(plot.Timeline).Panels {
		if p.Title == "below" && p.Y.Min > -4 {
			t.Errorf("%s begins at %g", p.Title, p.Y.Min)
		}
		got = append(got, fmt.Sprintf("%s %d", p.Title, len(p.Layers)))
	}
	if all, want := strings.Join(got, "|"), "a, per second 1|zero 0|below 1"; !strings.HasSuffix(all, want) {
		t.Errorf("panels %s, want %s at the end", all, want)
	}
	draw(t, timeline(r))
}

// A happening that explains others comes first in words, and is marked among them.
func TestTheCauseIsSaidFirst(t *testing.T) {
	r := hold(t)
	if c := cause(r, r.story()); c != nil && r.Result.Verdict == result.Pass {
		t.Errorf("a run that passed has the cause %q", c.Text)
	}
	for name, want := range map[string]string{"dead-server": "the process", "half-lost": "the process", "out-of-ports": "1,116 of", "slow-server": "the server answers", "generator-late": "the load test"} {
		var marked []string
		for _, h := range prepared(t, name).story() {
			if h.Cause {
				marked = append(marked, h.Text)
			}
		}
		if len(marked) != 1 || !strings.HasPrefix(marked[0], want) {
			t.Errorf("%s: marked are %q, want one that begins with %q", name, marked, want)
		}
	}
}

// What the clients felt of a cause, and for how long, is said with it, and with one name for each server.
func TestACauseIsSaidWithItsEffect(t *testing.T) {
	r := hold(t)
	x := r.Result
	x.Verdict = result.Fail
	x.Server = []result.Server{{Addr: "127.0.0.1:7001", Node: new("a")}, {Addr: "127.0.0.1:7002", Node: new("b")}}
	x.Detail.Events = []result.Event{{T: 11, Kind: result.EventDied, Target: "b"}}
	for i := range x.Detail.Seconds {
		x.Detail.Seconds[i].Servers = []result.ServerSecond{{Conns: new(500)}, {Conns: new(500)}}
		if i >= 11 {
			x.Detail.Seconds[i].Servers[1] = result.ServerSecond{}
		}
	}
	x.Detail.Seconds[10].Lost, x.Detail.Seconds[11].Lost = 300, 200
	text := pageWords(t, r)
	for _, want := range []string{"10.0 to 12.0 s: The process of server b ends; 500 of 1,000 sessions are lost at b", "servers a is 127.0.0.1:7001, b is 127.0.0.1:7002"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

// What was lost in the second of the blow is not told of before it.
func TestLossesBeginWithTheBlow(t *testing.T) {
	r := stormed(t, "kill", "window")
	*r.Result.Detail.StormAtS = 10.4
	for i := range r.Result.Detail.Seconds {
		if s := &r.Result.Detail.Seconds[i]; s.T == 11 {
			s.Lost = 500
		}
	}
	if got := sentences(r); !strings.Contains(got, "10.4 to 11.0 s: 500 of ") {
		t.Errorf("it says:\n%s", got)
	}
}

// Who was late while nobody was there spoiled nothing.
func TestLatenessWithoutClientsIsNotTold(t *testing.T) {
	if got := sentences(prepared(t, "dead-server")); strings.Contains(got, "late") {
		t.Errorf("it says:\n%s", got)
	}
}

// What a figure may be is beside it, whenever it was more in a second, and whenever somebody asked for it.
func TestLimitsAreDrawn(t *testing.T) {
	for name, want := range map[string]string{"dead-server": "limit 20", "slow-server": "limit 20, p99 asked for 50", "generator-late": "limit 20", "out-of-ports": ""} {
		var got []string
		for _, p := range timeline(prepared(t, name)).(plot.Timeline).Panels {
			for _, l := range p.Layers {
				if l, ok := l.(plot.Line); ok && l.Colour == plot.Ink && l.Label != "target" {
					got = append(got, fmt.Sprintf("%s %g", l.Label, l.Points[0].Y))
				}
			}
		}
		slices.Sort(got)
		if all := strings.Join(got, ", "); all != want {
			t.Errorf("%s has the limits %q, want %q", name, all, want)
		}
	}
}

func TestFiguresThatDoNotCountSaySo(t *testing.T) {
	text := pageWords(t, prepared(t, "generator-late"))
	if n := strings.Count(text, "holds, does not count"); n != 5 {
		t.Errorf("of %d promises it says that they hold and do not count, want 5:\n%s", n, text)
	}
	for _, want := range []string{"invalid: hold at 127.0.0.1:", "All 5 promises and thresholds hold, which does not count here.", "these figures do not count", "The load test was late (p99 377 ms), but took 8 % of a processor on the whole", "from the write p50 0.08, p99 5.38", "from the due time p99 381 ms"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

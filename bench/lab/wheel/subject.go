package wheel

import "time"

// The fleet of the issue: every connection beats every 30 s and is over after
// 75 s of silence; time moves in ticks of 250 ms.
const (
	tick    = 250 * time.Millisecond
	beat    = 30 * time.Second
	timeout = 75 * time.Second

	beatTicks    = int(beat / tick)
	timeoutTicks = int(timeout / tick)
)

// subject is one way to keep deadlines of connections, which are numbered from
// 0. All methods work on many connections, so that the interface's call is
// paid once; they are called from one goroutine.
type subject interface {
	arm(ids []uint32, ttl time.Duration)
	refresh(ids []uint32, ttl time.Duration) // a heartbeat of each
	cancel(ids []uint32)

	// advance moves the subject's clock and expires what is due; the subjects
	// that live in real time ignore it. It may stop early and return more.
	advance(now time.Duration) (visited int, more bool)

	expired() int64
	outside() int64 // bytes outside the Go heap
	close()
}

// kind describes a subject.
type kind struct {
	name string // key of the flags and the measurements
	text string // for the table
	// lazy ones look at live entries now and then instead of moving them at
	// each heartbeat.
	lazy bool
	// realtime ones can't be told the time.
	realtime bool
	// sweeps look at everybody.
	sweeps bool
	// slow ones take a minute with ten million: they have one turn there.
	slow bool
	make func(slots int) subject
}

var kinds = []kind{
	{name: "wheel", text: "**timingwheel**", lazy: true, make: newWheel},
	{name: "list", text: "same wheel, intrusive list", lazy: true, make: newListWheel},
	{name: "timers", text: "`time.AfterFunc` + `Reset`", realtime: true, slow: true, make: newTimers},
	{name: "heap", text: "`container/heap`, mutex", slow: true, make: newHeap},
	{name: "russell", text: "RussellLuo/timingwheel", realtime: true, slow: true, make: newRussell},
	{name: "rounds", text: "hashed wheel with rounds (Netty)", make: newRounds},
	{name: "sweep", text: "sweep every tick", sweeps: true, make: newSweep},
	{name: "sweep4s", text: "sweep every 4 s (uSockets)", sweeps: true, make: newSweep4s},
}

// driver is the one that does nothing, for what the driver itself costs.
var driver = kind{name: "nothing", lazy: true, make: newNothing}

// kindNames are those of all in turn.
func kindNames() (names []string) {
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

func kindOf(name string) kind {
	for _, k := range kinds {
		if k.name == name {
			return k
		}
	}
	return kind{}
}

// kept is what most subjects share: they count who is over, have all they need on Go's heap, and
// leave it to the collector.
type kept struct{ over int64 }

func (k *kept) expired() int64 { return k.over }
func (*kept) outside() int64   { return 0 }
func (*kept) close()           {}

// put has a connection's timer take its place: it is the next new one, or one that comes again.
func put[T any](timers *[]T, id uint32, t T) {
	if int(id) == len(*timers) {
		*timers = append(*timers, t)
	} else {
		(*timers)[id] = t
	}
}

// nothing keeps no deadlines: what the driver itself costs is measured with it
// and subtracted.
type nothing struct {
	kept
	sum uint32
}

func newNothing(int) subject { return &nothing{} }

func (s *nothing) walk(ids []uint32) {
	for _, id := range ids {
		s.sum += id
	}
}

func (s *nothing) arm(ids []uint32, _ time.Duration)     { s.walk(ids) }
func (s *nothing) refresh(ids []uint32, _ time.Duration) { s.walk(ids) }
func (s *nothing) cancel(ids []uint32)                   { s.walk(ids) }
func (s *nothing) advance(time.Duration) (int, bool)     { return 0, false }

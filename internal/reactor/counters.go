package reactor

import "time"

// Counters are what a loop counts. What each means, how it is summed and where it is shown says
// its row in server.Counters, which has the same fields: the compiler holds one against the
// other.
type Counters struct {
	Conns    int64
	Sessions int64
	Draining int64

	Moved    uint64
	Accepted uint64
	Refused  uint64
	Knocks   uint64
	Gone     uint64
	Hellos   uint64
	Tickets  uint64
	Resumed  uint64

	Renewed    uint64
	NotRenewed uint64

	FramesIn uint64
	BytesIn  uint64
	BytesOut uint64
	Pings    uint64
	Pongs    uint64
	Sends    uint64
	Delivers uint64
	AcksIn   uint64
	AcksOut  uint64
	NacksIn  uint64
	NacksOut uint64
	GoAways  uint64
	Dropped  uint64
	Queued   int64
	Partial  int64
	Kept     int64
	Paused   int64
	Stale    uint64

	RepeatsAnswered uint64
	RepeatsDropped  uint64
	RepliesIn       uint64
	RepliesOut      uint64
	Memberships     int64
	Published       uint64

	Averted     uint64
	LingerCut   uint64
	Panics      uint64
	Held        time.Duration
	Debt        time.Duration
	LongestTurn time.Duration

	Closes     [NumReasons]uint64
	SnapshotAt time.Duration
}

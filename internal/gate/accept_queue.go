package gate

const (
	// MinBacklog lets a loop that serves next to nobody find out that it can do more.
	MinBacklog = 16
	// UsualBacklog is what may wait for a loop of which nothing is known yet.
	UsualBacklog = 1024
	// MaxBacklog is the most that is asked for; what the system does not allow, it cuts.
	MaxBacklog = 4096
)

// Backlog is how many connections may wait to be accepted by a loop that took so many in the
// last second: if it is to be short, under overload, what it takes in about a second. Else what
// it took in the last second, and a crowd at least: what the configured rate promises may be ten
// seconds' work, and its clients would all have gone when they are served.
func Backlog(short bool, taken float64) int {
	if short {
		return int(min(max(taken*(2*LongWait).Seconds(), MinBacklog), MaxBacklog))
	}
	return int(min(max(taken, UsualBacklog), MaxBacklog))
}

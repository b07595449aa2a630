package codec

import "time"

// The limits of terms, the same for whoever tells them and whoever keeps to them: a client
// holds its interval within the first two and within four fifths of the timeout, and a server
// tells no terms that leave such a client less than MinMargin for its frames to arrive.
const (
	MinInterval = 100 * time.Millisecond
	MaxInterval = time.Hour
	MinMargin   = 100 * time.Millisecond
)

// MinTimeout is the least timeout that a client which is told the interval can keep to.
func MinTimeout(interval time.Duration) time.Duration {
	// The fifth that a client leaves of any timeout is margin enough from here on.
	const enough = 5 * MinMargin
	return min(max(interval, MinInterval)+MinMargin, enough)
}

//go:build race

package messaging_test

// raceEnabled says that the race detector looks on.
const raceEnabled = true

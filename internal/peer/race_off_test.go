//go:build !race

package peer

// underRace says that the race detector looks on.
const underRace = false

//go:build !race

package link

// underRace says that the race detector looks on.
const underRace = false

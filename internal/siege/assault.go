package siege

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// comrades is how many of each kind take part in an assault.
const comrades = 4

// Assault has several of every enemy come again and again, until length or ctx is over, beside a
// crowd. It tells how the crowd fared and how often an enemy came. What becomes of the enemies
// themselves is not judged: in such a throng any of them may be refused for what others do.
func Assault(ctx context.Context, t *Target, length time.Duration) (fared Fared, came int) {
	over, end := context.WithTimeout(ctx, length)
	defer end()
	crowd := Gather(ctx, t)
	var plays atomic.Int64
	var wg sync.WaitGroup
	for _, enemy := range All {
		for range comrades {
			wg.Go(func() {
				pause := time.NewTicker(10 * time.Millisecond)
				defer pause.Stop()
				for ; over.Err() == nil; <-pause.C {
					enemy.Play(ctx, t)
					plays.Add(1)
				}
			})
		}
	}
	wg.Wait()
	return crowd.Leave(), int(plays.Load())
}

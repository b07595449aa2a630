package siege

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// comrades is how many of each kind take part in an assault.
const comrades = 4

// Assault has several of every enemy come, and again until length or ctx is over, beside a crowd.
// It tells how the crowd fared and how often an enemy came. What becomes of the enemies
// themselves is not judged: in such a throng any of them may be refused for what others do.
func Assault(ctx context.Context, t *Target, length time.Duration) (fared Fared, came int) {
	crowd := Gather(ctx, t)
	over, end := context.WithTimeout(ctx, length) // of the assault, however long the crowd took to come
	defer end()
	var plays atomic.Int64
	var wg sync.WaitGroup
	for _, enemy := range All {
		for range comrades {
			wg.Go(func() {
				pause := time.NewTicker(10 * time.Millisecond)
				defer pause.Stop()
				for {
					enemy.Play(ctx, t)
					plays.Add(1)
					if over.Err() != nil {
						return
					}
					<-pause.C
				}
			})
		}
	}
	wg.Wait()
	return crowd.Leave(), int(plays.Load())
}

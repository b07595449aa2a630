// Package storetest holds a messaging.Store to its contract.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T, dir string, b messaging.Bounds) messaging.Store {
//			s, err := mystore.Open(filepath.Join(dir, "store"), b)
//			if err != nil {
//				t.Fatal(err)
//			}
//			return s
//		})
//	}
//
// It does not kill processes: what a store that is durable promises beyond a Close is for tests of its
// own, of which those of messaging.Bolt are an example.
package storetest

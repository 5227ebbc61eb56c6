package main

func Example() {
	main()
	// Output:
	// each of [a b] has its share
	// each of [a b c] has its share
}

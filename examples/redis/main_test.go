package main

func Example() {
	main()
	// Output: both servers have answered their share of 80 questions
}

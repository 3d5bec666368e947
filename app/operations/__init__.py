"""What is done about the rates: alerts and the page that shows them."""

"""What a reader learns from the message alone: faults put into real tables, alerted by the service, questions asked."""

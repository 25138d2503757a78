"""What Elasticsearch and OpenSearch share: documents, filters, bulk writes, parameters, the frame of the adapter."""

# The agent of examples/lambda, with its own store. `make lambda-zip` builds its package.

locals {
  package = coalesce(var.package, "${path.module}/../../../dist/lambda-${var.architecture}.zip")
}

module "sessions" {
  source = "../.."

  bucket_name = var.bucket_name
  tenants     = { agent = { prefix = "agents/prod" } }
}

resource "aws_iam_role" "agent" {
  name = var.function_name
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "sessions" {
  role       = aws_iam_role.agent.name
  policy_arn = module.sessions.agent_policy_arns["agent"]
}

resource "aws_cloudwatch_log_group" "agent" {
  name              = "/aws/lambda/${var.function_name}"
  retention_in_days = 30
}

resource "aws_iam_role_policy" "logs" {
  name = "logs"
  role = aws_iam_role.agent.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.agent.arn}:*"
    }]
  })
}

resource "aws_lambda_function" "agent" {
  function_name    = var.function_name
  role             = aws_iam_role.agent.arn
  runtime          = "python3.12"
  architectures    = [var.architecture]
  handler          = var.handler
  filename         = local.package
  source_code_hash = filebase64sha256(local.package)
  memory_size      = 512
  timeout          = 30 # a save ends within 28 seconds

  environment {
    variables = { SESSIONBUCKET_URL = module.sessions.store_urls["agent"] }
  }

  # The first invocation needs the permissions.
  depends_on = [aws_iam_role_policy_attachment.sessions, aws_iam_role_policy.logs]
}

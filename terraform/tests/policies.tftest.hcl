# The policies and their owners. ../tests/terraform evaluates what they allow and deny.

mock_provider "aws" {
  source = "./tests/aws"
}

variables {
  bucket_name = "acme-sessions"
  tenants = {
    support  = { prefix = "support/prod" }
    research = { prefix = "research" }
  }
}

run "plain" {
  assert {
    condition     = [for statement in jsondecode(output.bucket_policy_json).Statement : statement.Sid] == ["DenyPlainHTTP", "DenyOldTLS"]
    error_message = "The bucket's policy is not the two statements on TLS."
  }

  assert {
    condition     = keys(output.agent_policy_json) == ["research", "support"] && keys(output.reader_policy_json) == ["research", "support"]
    error_message = "Not every tenant has its policies."
  }

  assert {
    condition = [for name in ["research", "support"] : aws_iam_policy.agent[name].name] == [
      "acme-sessions.research.agent", "acme-sessions.support.agent",
    ]
    error_message = "The policies are not named after bucket and tenant."
  }

  assert {
    condition     = alltrue([for name in ["research", "support"] : aws_iam_policy.agent[name].policy == output.agent_policy_json[name] && aws_iam_policy.reader[name].policy == output.reader_policy_json[name]])
    error_message = "The outputs are not the policies that were made."
  }
}

run "without_extra_roles" {
  assert {
    condition     = length(output.historian_policy_arns) == 0 && length(output.eraser_policy_arns) == 0
    error_message = "Policies to read or erase old versions are there although no variable asks for them."
  }
}

run "extra_roles" {
  variables {
    extra_roles = ["historian", "eraser"]
  }

  assert {
    condition     = aws_iam_policy.historian["support"].name == "acme-sessions.support.historian" && aws_iam_policy.eraser["research"].name == "acme-sessions.research.eraser"
    error_message = "The policies are not named after bucket, tenant and role."
  }
}

run "an_unknown_role" {
  command = plan

  variables {
    extra_roles = ["janitor"]
  }

  expect_failures = [var.extra_roles]
}

run "enforced_with_a_key" {
  variables {
    kms_key_arn                = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    enforce_conditional_writes = true
  }

  assert {
    condition     = contains([for statement in jsondecode(output.bucket_policy_json).Statement : statement.Sid], "DenyUnconditionalSessionWrites")
    error_message = "Conditional writes are not enforced."
  }
}

run "enforced_at_the_root" {
  variables {
    tenants                    = { agent = { prefix = "" } }
    enforce_conditional_writes = true
  }

  assert {
    condition     = output.store_urls == { agent = "s3://acme-sessions?region=eu-central-1" }
    error_message = "The URL of a store at the bucket's root is wrong."
  }
}

run "too_many_tenants_to_enforce" {
  command = plan

  variables {
    tenants                    = { for number in range(100) : "tenant-${number}" => { prefix = "tenants/${number}/${join("", [for letter in range(200) : "x"])}" } }
    enforce_conditional_writes = true
  }

  expect_failures = [aws_s3_bucket_policy.sessions]
}

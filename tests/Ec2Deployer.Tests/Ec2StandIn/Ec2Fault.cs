namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>An error as EC2 answers it.</summary>
internal sealed class Ec2Fault(string code, string message, int status = 400) : Exception(message)
{
    public string Code { get; } = code;

    public int Status { get; } = status;

    public static Ec2Fault Throttled => new("RequestLimitExceeded", "Request limit exceeded.", 503);

    public static Ec2Fault NoCapacity(string zone) => new("InsufficientInstanceCapacity",
        $"We currently do not have sufficient m7i-flex.large capacity in the Availability Zone you requested ({zone}). Our system will be working on provisioning additional capacity.", 500);

    public static Ec2Fault Unauthorized(string action) => new("UnauthorizedOperation",
        $"You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/ana is not authorized to perform: ec2:{action} because no identity-based policy allows the ec2:{action} action. Encoded authorization failure message: {new string('x', 900)}", 403);

    public static Ec2Fault VcpuLimit => new("VcpuLimitExceeded",
        "You have requested more vCPU capacity than your current vCPU limit of 5 allows for the instance bucket that the specified instance type belongs to.");

    public static Ec2Fault Expired => new("ExpiredToken", "The security token included in the request is expired", 400);

    public static Ec2Fault BadKeys => new("AuthFailure", "AWS was not able to validate the provided access credentials", 401);
}
